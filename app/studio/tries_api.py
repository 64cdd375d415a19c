"""JSON twin of what the editor does with runs of the draft."""

from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.studio import tries_again
from app.studio.tries_again import AgainForm
from app.web.actor import Actor


class Begun(Struct, frozen=True):
    """The run that was started; read it under /runs/{id}."""

    id: UUID


class TriesApi(Controller):
    path = "/flows/{flow_id:uuid}/tries"
    tags = ["Flows"]

    @post(
        "/{run_id:uuid}/continuations",
        name="api:try-continue",
        summary="Run the draft to a step, a step alone, or from a step on, with what a run left",
        status_code=202,
    )
    async def go_on(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[AgainForm],
    ) -> Begun:
        return Begun(await tries_again.again(actor, flow_id, run_id, data))
