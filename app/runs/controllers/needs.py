"""Needs you: doubts, questions and given-up runs of the whole workspace in one list."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.db import page_tx
from app.errors import Refused
from app.runs import needs, queries, service
from app.web import asks
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

KINDS = (("", "All"), ("question", "Questions"), ("doubt", "In doubt"), ("dead", "Given up"))


class NeedsController(Controller):
    path = "/needs-you"

    @get("/", name="runs:needs-you")
    async def index(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow: FromQuery[UUID | None] = None,
        kind: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        kind = kind if kind in dict(KINDS) else ""
        async with page_tx(actor.workspace_id):
            listed = await needs.needs(actor, flow_id=flow, kind=kind, after=after)
            # Mentions and approvals are shown by whoever counts them (studio), under their own addresses.
            others = await asks.listed(actor)
        context: dict[str, Any] = {"listed": listed, "kind": kind, "flow": flow, "first": not after}
        context["others"] = others
        if request.htmx.partial:
            return fragment(request, "runs/_needs.html", **context)
        return page(request, "runs/needs_you.html", nav="needs-you", kinds=KINDS, **context)

    @get("/count", name="runs:needs-you-count")
    async def count(self, request: Request, actor: NamedDependency[Actor]) -> Response[str]:
        async with page_tx(actor.workspace_id):
            number = await queries.needing(actor) + await asks.waiting(actor)
        return fragment(request, "runs/_needs_you_count.html", number=number)

    @post("/decisions", name="runs:decide-all")
    async def decide(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        """The same answer for all doubts that were ticked."""
        form = await request.form()
        places = [_place(str(each)) for each in form.getall("need", [])]
        if not places:
            raise Refused("Nothing was chosen.", remedy="Tick the steps that this is about.")
        happened = form.get("happened") == "yes"
        done, gone = await service.decide_all(actor, places[:500], happened=happened)
        words = f"Noted for {done} {'step' if done == 1 else 'steps'}."
        flash(request, words + (f" {gone} had been settled before." if gone else ""))
        return go(request, "/needs-you")


def _place(text: str) -> tuple[UUID, str, str]:
    run, _, rest = text.partition("|")
    node, _, iter = rest.partition("|")
    try:
        return UUID(run), node, iter
    except ValueError:
        raise Refused("This is no step in doubt.", remedy="Reload the page.") from None
