"""JSON twin of breakpoints, and of going on with a try that pauses."""

from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.runs import queries as runs
from app.runs.queries import Pause
from app.runs.service import GoOnForm
from app.studio import breakpoints
from app.studio.breakpoints import BreakForm, Breakpoint
from app.web.actor import Actor


class BreakpointsApi(Controller):
    path = "/flows/{flow_id:uuid}"
    tags = ["Flows"]

    @get("/breakpoints", name="api:breakpoints", summary="Steps before which your own tries pause")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[Breakpoint]:
        return await breakpoints.breakpoints(actor, flow_id)

    @delete("/breakpoints", name="api:unbreak-all", summary="Take all your breakpoints away", status_code=200)
    async def clear_all(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[Breakpoint]:
        """What was there."""
        return await breakpoints.clear_all(actor, flow_id)

    @put("/nodes/{node_id:str}/breakpoint", name="api:break", summary="Pause before a step in your own tries")
    async def set(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str], data: JSONBody[BreakForm]
    ) -> Breakpoint:
        return await breakpoints.set(actor, flow_id, node_id, data)

    @delete("/nodes/{node_id:str}/breakpoint", name="api:unbreak", summary="Don't pause before it any more")
    async def clear(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]) -> None:
        await breakpoints.clear(actor, flow_id, node_id)

    @get("/tries/{run_id:uuid}/pauses", name="api:pauses", summary="Where a try pauses, and what would go in")
    async def pauses(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> list[Pause]:
        await runs.of_flow(actor, run_id, flow_id)
        return await runs.pauses(actor, run_id)

    @post("/tries/{run_id:uuid}/pauses", name="api:go-on", summary="Go on with a try that pauses", status_code=202)
    async def go_on(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[GoOnForm],
    ) -> dict[str, str]:
        """Its inputs may be given; the run then goes on to the next breakpoint, by one step, or to its end."""
        await breakpoints.go_on(actor, flow_id, run_id, data)
        return {"id": str(run_id)}
