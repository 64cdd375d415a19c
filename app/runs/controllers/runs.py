"""The list of runs, what is done with many of them, and two side by side."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.db import page_tx
from app.errors import NotFound, Refused
from app.runs import comparing, listing, queries, replays, retention, service
from app.runs.forms import KeepingForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.places import safe_path
from app.web.render import fragment, go, page

STATES = (
    ("", "Any state"),
    ("running", "Running"),
    ("queued", "Queued"),
    ("sleeping", "Waits"),
    ("succeeded", "Done"),
    ("failed", "Failed"),
    ("in_doubt", "In doubt"),
    ("cancelled", "Cancelled"),
)
PERIODS = (
    ("", "Any time"),
    ("hour", "Last hour"),
    ("day", "Last 24 hours"),
    ("week", "Last 7 days"),
    ("month", "Last 30 days"),
)
RATINGS = (("", "Rated or not"), ("good", "Rated good"), ("bad", "Rated bad"), ("any", "Rated at all"))
MOST = 200
"""Runs that are cancelled or begun again at once."""
STARTED_BY = {
    "api": "API",
    "webhook": "Webhook",
    "site": "Visitor",
    "editor": "Try in the editor",
    "chat": "Chat",
    "form": "Form",
    "schedule": "Schedule",
    "event": "Event",
    "after": "Another flow",
    "email": "E-mail",
    "drop": "Dropped file",
    "test": "Test",
}
"""Words for `run.trigger`."""


class RunsController(Controller):
    path = "/"

    @get("/runs", name="runs:list")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        wanted = listing.filter_of(request.query_params)
        if wanted.state == "waiting":
            return go(request, f"/needs-you?flow={wanted.flow}" if wanted.flow else "/needs-you")
        return await _list(request, actor, wanted, "/runs")

    @get("/flows/{flow_id:uuid}/runs", name="runs:of-flow")
    async def of_flow(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        await queries.flow_exists(actor, flow_id)
        wanted = msgspec.structs.replace(listing.filter_of(request.query_params), flow=flow_id)
        return await _list(request, actor, wanted, f"/flows/{flow_id}/runs")

    @get("/runs/compare", name="runs:compare")
    async def compare(self, request: Request, actor: NamedDependency[Actor]) -> Response[str]:
        """Two runs; one run and the one before it; or, where that can't be, runs to choose two from."""
        query = request.query_params
        sent = list(dict.fromkeys(each for each in (*query.getall("run", []), query.get("a"), query.get("b")) if each))
        ids = [found for each in sent[:MOST] if (found := _id(each)) is not None]
        unread = len(ids) < len(sent)
        if len(ids) in (1, 2) and not unread and "choose" not in query:
            with suppress(NotFound):
                both = await comparing.compared(actor, *ids)
                return page(request, "runs/compare.html", nav="runs", both=both, words=STARTED_BY)
        async with page_tx(actor.workspace_id):
            offered = await comparing.offered(actor, ids, _id(query.get("flow", "")))
        missing = offered.missing or unread
        status = 404 if missing else 422 if len(ids) > 2 else 200
        return page(
            request,
            "runs/compare_choose.html",
            status_code=status,
            nav="runs",
            offered=offered,
            missing=missing,
            asked=len(ids),
            words=STARTED_BY,
        )

    @post("/runs/keeping", name="runs:keep")
    async def keep(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[KeepingForm]
    ) -> Response[Any]:
        await retention.keep(actor, data.days)
        flash(request, f"Ended runs are kept for {data.days} {'day' if data.days == 1 else 'days'} from now on.")
        return go(request, "/runs")

    @post("/runs/cancellations", name="runs:cancel-many")
    async def cancel_many(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        ids = await _chosen(request)
        done = await service.cancel_all(actor, ids)
        flash(request, f"{_runs(done)} cancelled." + (f" {len(ids) - done} had ended." if done < len(ids) else ""))
        return go(request, safe_path(request.query_params.get("back", ""), "/runs"))

    @post("/runs/replays", name="runs:replay-many")
    async def replay_many(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        ids = await _chosen(request)
        made = await replays.replay_all(actor, ids)
        flash(request, f"{_runs(len(made))} begun again with the same input.")
        return go(request, safe_path(request.query_params.get("back", ""), "/runs"))


async def _list(request: Request, actor: Actor, wanted: listing.RunFilter, base: str) -> Response[Any]:
    before = request.query_params.get("before", "")
    whole = not request.htmx.partial
    among = await listing.matching(actor, wanted)
    async with page_tx(actor.workspace_id):
        found = await listing.listed(actor, wanted, before, among)
        flows, places = await listing.choices(actor) if whole else ([], [])
        kept = await retention.days(actor.workspace_id) if whole else 0
    context: dict[str, Any] = {
        "listed": found, "wanted": wanted, "base": base, "words": STARTED_BY, "first": not before,
    }  # fmt: skip
    if not whole:
        return fragment(request, "runs/_list.html", **context)
    return page(
        request,
        "runs/list.html",
        nav="runs",
        flows=flows if base == "/runs" else [],
        periods=PERIODS,
        states=STATES,
        ratings=RATINGS,
        kept=kept,
        environments=[(name, name) for name in ("live", *places)] if places else [],
        **context,
    )


async def _chosen(request: Request) -> list[UUID]:
    ids = [_id(str(each)) for each in (await request.form()).getall("run", [])]
    found = [each for each in ids if each is not None][:MOST]
    if not found:
        raise Refused("No run was chosen.", remedy="Tick some in the list.")
    return found


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _runs(number: int) -> str:
    return f"{number} {'run' if number == 1 else 'runs'}"
