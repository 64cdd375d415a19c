"""Breakpoints: set and taken away beside the canvas; going on with a try that pauses."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, URLEncodedBody

from app.runs.service import GoOnForm
from app.studio import breakpoints
from app.studio.breakpoints import BreakForm, Breakpoint
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go


class BreakpointsController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/breakpoints", name="studio:breakpoints")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, dict[str, str]]:
        """The person's own, for the dots on the cards: step → rounds."""
        return {"nodes": {each.node: each.rounds for each in await breakpoints.breakpoints(actor, flow_id)}}

    @put("/nodes/{node_id:str}/breakpoint", name="studio:break", status_code=200)
    async def set(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str], data: JSONBody[BreakForm]
    ) -> Breakpoint:
        return await breakpoints.set(actor, flow_id, node_id, data)

    @delete("/nodes/{node_id:str}/breakpoint", name="studio:unbreak", status_code=200)
    async def clear(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> dict[str, str | None]:
        """`rounds`: what was set, so that it can be put back; null = nothing was."""
        was = await breakpoints.clear(actor, flow_id, node_id)
        return {"rounds": was.rounds if was is not None else None}

    @delete("/breakpoints", name="studio:unbreak-all", status_code=200)
    async def clear_all(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, dict[str, str]]:
        return {"nodes": {each.node: each.rounds for each in await breakpoints.clear_all(actor, flow_id)}}

    @post("/nodes/{node_id:str}/breakpoint", name="studio:outline-break", status_code=303)
    async def from_outline(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str],
        data: URLEncodedBody[BreakForm],
    ) -> Response[Any]:  # fmt: skip
        await breakpoints.set(actor, flow_id, node_id, data)
        flash(request, "Your tries pause before this step.")
        return go(request, f"/flows/{flow_id}/outline?step={node_id}#step")

    @post("/nodes/{node_id:str}/breakpoint/removal", name="studio:outline-unbreak", status_code=303)
    async def away_from_outline(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        await breakpoints.clear(actor, flow_id, node_id)
        flash(request, "Your tries don’t pause before this step any more.")
        return go(request, f"/flows/{flow_id}/outline?step={node_id}#step")

    @post("/tries/{run_id:uuid}/pauses", name="studio:go-on", status_code=200)
    async def go_on(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[GoOnForm],
    ) -> dict[str, str]:
        """With the breakpoints that are set by now. The page hears of what follows by its stream."""
        await breakpoints.go_on(actor, flow_id, run_id, data)
        return {"id": str(run_id)}
