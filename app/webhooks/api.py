"""JSON twins of what people do with outgoing webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from app.web.actor import Actor
from app.web.htmx import Request
from app.webhooks import queries, service
from app.webhooks.forms import EndpointForm, ReplayForm
from app.webhooks.queries import Detail, EndpointView


class SwitchForm(Struct, frozen=True, forbid_unknown_fields=True):
    on: bool


class EndpointsApi(Controller):
    path = "/webhooks"
    tags = ["Outgoing webhooks"]

    @get("/", name="api:endpoints", summary="Endpoints that are told of events")
    async def index(self, actor: NamedDependency[Actor]) -> list[EndpointView]:
        return await queries.endpoints(actor)

    @post("/", name="api:endpoint-add", summary="Add an endpoint")
    async def create(self, actor: NamedDependency[Actor], data: JSONBody[EndpointForm]) -> dict[str, str]:
        """The secret is told only now."""
        endpoint_id, secret = await service.add_endpoint(actor, data)
        return {"id": str(endpoint_id), "secret": secret}

    @post("/deliveries/{delivery_id:uuid}/replay", name="api:delivery-replay", summary="Send a delivery again")
    async def replay(self, actor: NamedDependency[Actor], delivery_id: FromPath[UUID]) -> dict[str, str]:
        return {"endpoint": str(await service.replay(actor, delivery_id))}


class EndpointApi(Controller):
    path = "/webhooks/{endpoint_id:uuid}"
    tags = ["Outgoing webhooks"]

    @get("/", name="api:endpoint", summary="An endpoint with its deliveries")
    async def show(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        endpoint_id: FromPath[UUID],
        before: FromQuery[datetime | None] = None,
    ) -> Detail:
        return await queries.endpoint(actor, endpoint_id, request.query_params.get("state", ""), before)

    @put("/", name="api:endpoint-change", summary="Change an endpoint", status_code=204)
    async def change(
        self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID], data: JSONBody[EndpointForm]
    ) -> None:
        await service.change_endpoint(actor, endpoint_id, data)

    @put("/switch", name="api:endpoint-switch", summary="Switch an endpoint on or off", status_code=204)
    async def switch(
        self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID], data: JSONBody[SwitchForm]
    ) -> None:
        await service.switch(actor, endpoint_id, on=data.on)

    @post("/secret", name="api:endpoint-secret", summary="Make another secret")
    async def secret(self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]) -> dict[str, str]:
        """For 24 hours every delivery is signed with the one before, too."""
        return {"secret": await service.renew_secret(actor, endpoint_id)}

    @post("/trial", name="api:endpoint-test", summary="Send a test")
    async def trial(self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]) -> dict[str, str]:
        return {"delivery": str(await service.test_endpoint(actor, endpoint_id))}

    @post("/replays", name="api:endpoint-replay", summary="Send again what was given up")
    async def replay(
        self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID], data: JSONBody[ReplayForm]
    ) -> dict[str, int]:
        return {"sent_again": await service.replay_dead(actor, endpoint_id, data.since)}

    @delete("/", name="api:endpoint-remove", summary="Remove an endpoint")
    async def remove(self, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]) -> None:
        await service.remove_endpoint(actor, endpoint_id)


api_routes: list[Any] = [EndpointsApi, EndpointApi]
