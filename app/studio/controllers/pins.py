"""What a step gives in tries of the draft instead of being called: shown, set, taken away."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.studio import pins, queries, tries
from app.studio.pins import PinForm
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import fragment


class PinsController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/pins", name="studio:pins")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, list[str]]:
        """The steps that are pinned, for the badges on their cards."""
        return {"nodes": [pin.node for pin in await pins.pins(actor, flow_id)]}

    @get("/nodes/{node_id:str}/pin", name="studio:pin-form")
    async def form(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> Response[Any]:
        flow, _ = await queries.draft(actor, flow_id)
        use = queries.step(flow, node_id)
        pinned = next((pin for pin in await pins.pins(actor, flow_id) if pin.node == node_id), None)
        ran = await tries.step(actor, request.query_params.get("run", ""), node_id)
        can = not use.parent and pins.misfit(use, "{}") != pins.NOTHING
        return fragment(request, "studio/_pin.html", use=use, pin=pinned, ran=ran, can=can, editable=actor.can_edit)

    @put("/nodes/{node_id:str}/pin", name="studio:pin", request_max_body_size=pins.MOST + 1_000, status_code=200)
    async def set(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str], data: JSONBody[PinForm]
    ) -> dict[str, Any]:
        pin = await pins.pin(actor, flow_id, node_id, data)
        return {"output": pin.output}

    @delete("/nodes/{node_id:str}/pin", name="studio:unpin", status_code=200)
    async def unset(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], node_id: FromPath[str]
    ) -> dict[str, Any]:
        """`output`: what was pinned, so that it can be put back."""
        gone = await pins.unpin(actor, flow_id, node_id)
        return {"output": gone.output if gone is not None else None}
