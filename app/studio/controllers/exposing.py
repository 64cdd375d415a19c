"""The settings page of a flow. Plain forms: every deed answers with the page again, so scripts may be off."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.studio import choices, exposing, queries, service
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page


class ExposingController(Controller):
    path = "/flows/{flow_id:uuid}/settings-form"

    @get("/", name="studio:settings-form")
    async def show(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        return await _page(request, actor, flow_id)

    @post("/", name="studio:save-settings-form", status_code=303)
    async def save(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        """Everything that changed is one edit; with `deed` "publish" it runs from now on."""
        sent = await _sent(request)
        count, faults = await exposing.save(actor, flow_id, sent)
        if faults:
            return await _page(request, actor, flow_id, faults, status_code=422)
        deed = (sent.get("deed") or [""])[-1]
        if deed == "publish":
            await service.publish(actor, flow_id, "", "")
            flash(request, "Published. It works this way from now on.")
        elif count and ":" not in deed:
            flash(request, "Saved.", undo=f"/flows/{flow_id}/settings-form/undoing")
        return go(request, f"/flows/{flow_id}/settings-form")

    @post("/undoing", name="studio:undo-settings-form", status_code=303)
    async def undo(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        said = (await service.undo(actor, flow_id, "settings")).said
        if said:
            flash(request, said)
        return go(request, f"/flows/{flow_id}/settings-form")


class ExposureController(Controller):
    """Which settings of a step stand there, from the outline; the canvas sends operations."""

    path = "/flows/{flow_id:uuid}/outline/steps/{node_id:str}/exposure"

    @post("/", name="studio:outline-expose", status_code=303)
    async def mark(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        if await exposing.mark(actor, flow_id, node_id, await _sent(request)):
            flash(request, "Saved.", undo=f"/flows/{flow_id}/outline/undoing")
        return go(request, f"/flows/{flow_id}/outline?step={node_id}#step")


async def _sent(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    return {name: [str(value) for value in form.getall(name)] for name in form if name != "_csrf"}


async def _page(
    request: Request, actor: Actor, flow_id: UUID, faults: Any = None, status_code: int = 200
) -> Response[Any]:
    flow = await queries.editor(actor, flow_id)
    steps = exposing.shown(flow.flow, queries.problems_at(flow_id, flow.rev, flow.flow), faults)
    return page(
        request,
        "studio/settings_page.html",
        status_code=status_code,
        nav="flows",
        flow=flow,
        steps=steps,
        offers=await choices.for_fields(actor, flow_id, [field for step in steps for field in step.fields]),
        editable=actor.can_edit and not flow.archived,
    )
