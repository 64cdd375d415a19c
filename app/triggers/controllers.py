"""Pages of triggers: what starts flows by itself, when next, what became of it, and why it did not."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.errors import Refused
from app.runs import service as runs
from app.triggers import keys, queries, service, signatures
from app.triggers.forms import PacePageForm, SecretForm
from app.triggers.guard import guard
from app.triggers.pace_form import pace_of, written_pace
from app.triggers.paced_hooks import pace_hook
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page
from app.web.switching import switched

NAV = "triggers"
HERE = "/triggers"


def _partial(request: Request) -> bool:
    return request.headers.get("hx-request-type") == "partial"


def _unsaid(detail: queries.Detail) -> dict[str, Any]:
    """The form of the pace as it stands."""
    return {"written": written_pace(detail.trigger.pace), "wrong": {}}


class TriggersController(Controller):
    path = "/triggers"

    @get("/", name="triggers:list")
    async def index(
        self, request: Request, actor: NamedDependency[Actor], flow: FromQuery[UUID | None] = None
    ) -> Response[str]:
        context: dict[str, Any] = {"triggers": await queries.triggers(actor, flow), "flow": flow}
        if _partial(request):
            return fragment(request, "triggers/_list.html", **context)
        return page(request, "triggers/list.html", nav=NAV, **context)


class TriggerController(Controller):
    path = "/triggers/{trigger_id:uuid}"

    @get("/", name="triggers:trigger")
    async def show(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        trigger_id: FromPath[UUID],
        before: FromQuery[datetime | None] = None,
    ) -> Response[str]:
        detail = await queries.trigger(actor, trigger_id, before)
        if _partial(request):
            return fragment(request, "triggers/_log.html", detail=detail, first=before is None, shown="")
        return page(
            request, "triggers/trigger.html", nav=NAV, detail=detail, first=before is None, shown="", **_unsaid(detail)
        )

    @post("/switching-off", name="triggers:switch-off")
    async def off(
        self, request: Request, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], to: FromQuery[str] = ""
    ) -> Response[Any]:
        await service.switch(actor, trigger_id, on=False)
        return switched(
            request,
            f"{HERE}/{trigger_id}",
            "Switched off: it does not fire any more.",
            on=False,
            to=HERE if to == "list" else "",
        )

    @post("/switching-on", name="triggers:switch-on")
    async def on(
        self, request: Request, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], to: FromQuery[str] = ""
    ) -> Response[Any]:
        await service.switch(actor, trigger_id, on=True)
        return switched(request, f"{HERE}/{trigger_id}", "Switched on.", on=True, to=HERE if to == "list" else "")

    @post("/secret", name="triggers:secret")
    async def secret(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        trigger_id: FromPath[UUID],
        data: URLEncodedBody[SecretForm],
    ) -> Response[Any]:
        shown = await keys.set_secret(actor, trigger_id, data.secret)
        detail = await queries.trigger(actor, trigger_id)
        if not request.htmx.partial:
            return page(
                request, "triggers/trigger.html", nav=NAV, detail=detail, first=True, shown=shown, **_unsaid(detail)
            )
        return fragment(
            request, "triggers/secret_set.oob.html", detail=detail, it=detail.trigger, shown=shown, errors={}
        )

    @post("/address", name="triggers:address")
    async def address(
        self, request: Request, actor: NamedDependency[Actor], trigger_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.new_address(actor, trigger_id)
        flash(request, "It has a new address. The old one leads nowhere any more.")
        return go(request, f"{HERE}/{trigger_id}")

    @post("/pace", name="triggers:pace")
    async def pace(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        trigger_id: FromPath[UUID],
        data: URLEncodedBody[PacePageForm],
    ) -> Response[Any]:
        try:
            await service.set_pace(actor, trigger_id, pace_of(data))
        except Refused as refused:
            detail = await queries.trigger(actor, trigger_id)
            errors = {refused.field or "": f"{refused.message} {refused.remedy}".strip()}
            context: dict[str, Any] = {"detail": detail, "first": True, "shown": ""}
            return page(
                request, "triggers/trigger.html", nav=NAV, status_code=422, written=data, wrong=errors, **context
            )
        flash(request, "The pace holds from now on. What is held keeps its moment.")
        return go(request, f"{HERE}/{trigger_id}")

    @post("/firings", name="triggers:fire")
    async def fire(self, request: Request, actor: NamedDependency[Actor], trigger_id: FromPath[UUID]) -> Response[Any]:
        done = await service.fire_now(actor, trigger_id)
        if done.run_id is None:
            flash(request, f"It did not start: {done.reason}", kind="danger")
            return go(request, f"/triggers/{trigger_id}")
        return go(request, f"/runs/{done.run_id}")


runs.check_calls(signatures.check)
runs.pace_hooks(pace_hook)
runs.guard_hooks(guard)  # here, because every process that has the webhook door has these pages, too
routes: list[Any] = [TriggersController, TriggerController]
