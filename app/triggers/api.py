"""JSON twins of what people do with triggers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.triggers import keys, queries, service
from app.triggers.forms import PaceForm, SecretForm, SwitchForm
from app.triggers.queries import Detail, TriggerView
from app.web.actor import Actor


class TriggersApi(Controller):
    path = "/triggers"
    tags = ["Triggers"]

    @get("/", name="api:triggers", summary="What starts flows by itself")
    async def index(self, actor: NamedDependency[Actor], flow: FromQuery[UUID | None] = None) -> list[TriggerView]:
        return await queries.triggers(actor, flow)


class TriggerApi(Controller):
    path = "/triggers/{trigger_id:uuid}"
    tags = ["Triggers"]

    @get("/", name="api:trigger", summary="A trigger with its log and its next times")
    async def show(
        self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], before: FromQuery[datetime | None] = None
    ) -> Detail:
        return await queries.trigger(actor, trigger_id, before)

    @put("/switch", name="api:trigger-switch", summary="Switch a trigger on or off", status_code=204)
    async def switch(
        self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], data: JSONBody[SwitchForm]
    ) -> None:
        await service.switch(actor, trigger_id, on=data.on)

    @put("/pace", name="api:trigger-pace", summary="How often a trigger may start something", status_code=204)
    async def pace(self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], data: JSONBody[PaceForm]) -> None:
        """After a quiet time, or at most so often; for each value of `key` apart. What is held keeps its moment."""
        await service.set_pace(actor, trigger_id, data)

    @post("/secret", name="api:trigger-secret", summary="Set or make the secret of a signed webhook")
    async def secret(
        self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID], data: JSONBody[SecretForm]
    ) -> dict[str, str]:
        """The only time it is told. The one before counts for another 24 hours."""
        return {"secret": await keys.set_secret(actor, trigger_id, data.secret)}

    @post("/address", name="api:trigger-address", summary="Give a trigger a new address", status_code=204)
    async def address(self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID]) -> None:
        await service.new_address(actor, trigger_id)

    @post("/firings", name="api:trigger-fire", summary="Fire a trigger by hand", opt={"scope": "run"})
    async def fire(self, actor: NamedDependency[Actor], trigger_id: FromPath[UUID]) -> Response[Any]:
        """Starts the live version with sample data, as the trigger would. 202 and the run's id."""
        done = await service.fire_now(actor, trigger_id)
        return Response(done, status_code=202)


api_routes: list[Any] = [TriggersApi, TriggerApi]
