"""JSON twins of pinning."""

from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.studio import pins
from app.studio.pins import Pin, PinForm
from app.web.actor import Actor


class PinsApi(Controller):
    path = "/flows/{flow_id:uuid}"
    tags = ["Flows"]

    @get("/pins", name="api:pins", summary="Outputs that tries take instead of calling the step")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[Pin]:
        return await pins.pins(actor, flow_id)

    @put(
        "/nodes/{node_id:str}/pin",
        name="api:pin",
        summary="Pin what a step gives in tries",
        request_max_body_size=pins.MOST + 1_000,
    )
    async def set(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str], data: JSONBody[PinForm]
    ) -> Pin:
        return await pins.pin(actor, flow_id, node_id, data)

    @delete("/nodes/{node_id:str}/pin", name="api:unpin", summary="Call the step again")
    async def unset(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]) -> None:
        await pins.unpin(actor, flow_id, node_id)
