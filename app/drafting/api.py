"""JSON twins of what people do with proposals."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.drafting import queries, service
from app.drafting.forms import WishForm
from app.drafting.shapes import ProposalView
from app.web.actor import Actor


class Begun(Struct, frozen=True):
    """Made in the background: read it at /drafting/{id} until its status is not "working"."""

    id: UUID


class Taken(Struct, frozen=True):
    flow_id: UUID


class DraftingApi(Controller):
    path = "/drafting"
    tags = ["Drafting"]

    @get("/", name="api:proposals", summary="The last proposals")
    async def index(self, actor: NamedDependency[Actor]) -> list[ProposalView]:
        return await queries.recent(actor, 50)

    @post("/", name="api:proposal-begin", summary="Draft a new flow from a description", status_code=202)
    async def begin(self, actor: NamedDependency[Actor], data: JSONBody[WishForm]) -> Begun:
        return Begun(await service.begin(actor, data))

    @get("/{proposal_id:uuid}", name="api:proposal", summary="A proposal, with what it would change")
    async def show(self, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> ProposalView:
        return await queries.proposal(actor, proposal_id)

    @post("/{proposal_id:uuid}/cancellation", name="api:proposal-cancel", summary="Stop making it", status_code=204)
    async def cancel(self, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> None:
        await service.cancel(actor, proposal_id)

    @post("/{proposal_id:uuid}/acceptance", name="api:proposal-accept", summary="Take it over", status_code=200)
    async def accept(self, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> Taken:
        """One edit of the flow that can be undone, or a new flow."""
        return Taken(await service.accept(actor, proposal_id))

    @delete("/{proposal_id:uuid}", name="api:proposal-reject", summary="Throw it away")
    async def reject(self, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> None:
        await service.reject(actor, proposal_id)

    @post("/{proposal_id:uuid}/return", name="api:proposal-return", summary="Bring it back", status_code=204)
    async def bring_back(self, actor: NamedDependency[Actor], proposal_id: FromPath[UUID]) -> None:
        await service.bring_back(actor, proposal_id)


class FlowDraftingApi(Controller):
    path = "/flows/{flow_id:uuid}/drafting"
    tags = ["Drafting"]

    @post("/", name="api:proposal-change", summary="Draft a change of a flow from a description", status_code=202)
    async def begin(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[WishForm]) -> Begun:
        return Begun(await service.begin(actor, data, flow_id))


api_routes: list[Any] = [DraftingApi, FlowDraftingApi]
