"""How many runs of a flow may be under way at once: the page of its limits."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.errors import Refused
from app.runs import limits, service
from app.runs.forms import LimitsPageForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page


class LimitsController(Controller):
    path = "/flows/{flow_id:uuid}/limits"

    @get("/", name="runs:limits")
    async def show(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[str]:
        found = await limits.of(actor, flow_id)
        running, key, per_key = found.limits.running, found.limits.key, found.limits.per_key
        written = LimitsPageForm(str(running or ""), key, str(per_key or ""), "on" if found.limits.bulk else "")
        return page(request, "runs/limits.html", nav="flows", found=found, written=written, errors={})

    @post("/", name="runs:limit")
    async def save(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[LimitsPageForm],
    ) -> Response[Any]:
        before = await limits.of(actor, flow_id)
        try:
            wanted = limits.Limits(
                _number(data.running, "running"), data.key, _number(data.per_key, "per_key"), bool(data.bulk)
            )
            await service.limit(actor, flow_id, wanted)
        except Refused as refused:
            errors = {refused.field or "": f"{refused.message} {refused.remedy}".strip()}
            return page(request, "runs/limits.html", nav="flows", found=before, written=data, errors=errors)
        flash(request, "The limits hold from now on, also for runs that are queued.")
        return go(request, f"/flows/{flow_id}/limits")


def _number(text: str, field: str) -> int | None:
    """Raises Refused for what is no whole number."""
    try:
        return int(text) if text.strip() else None
    except ValueError:
        raise Refused("This is no whole number.", remedy="Leave it empty for no limit.", field=field) from None
