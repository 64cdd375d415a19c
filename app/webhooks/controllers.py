"""Pages of outgoing webhooks: endpoints, what was sent, what came back, sending again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page
from app.web.switching import switched
from app.webhooks import queries, service
from app.webhooks.forms import EndpointForm, ReplayForm

NAV = "triggers"
HERE = "/webhooks"
STATES = (("", "All"), ("due", "Under way"), ("done", "Delivered"), ("dead", "Given up"), ("held", "Kept back"))


async def _detail(request: Request, actor: Actor, endpoint_id: UUID, shown: str = "", **more: Any) -> Response[str]:
    asked = str(more.get("state", ""))
    wanted = asked if asked in dict(STATES) else ""
    detail = await queries.endpoint(actor, endpoint_id, wanted, more.get("before"))
    context: dict[str, Any] = {"detail": detail, "shown": shown, "state": wanted, "states": STATES}
    if request.headers.get("hx-request-type") == "partial":
        return fragment(request, "webhooks/_deliveries.html", **context)
    return page(request, "webhooks/endpoint.html", nav=NAV, **context)


class EndpointsController(Controller):
    path = "/webhooks"

    @get("/", name="webhooks:list")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[str]:
        found = await queries.endpoints(actor)
        return page(request, "webhooks/list.html", nav=NAV, endpoints=found, values={}, errors={})

    @post("/", name="webhooks:add", opt={"form": "webhooks/_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[EndpointForm]
    ) -> Response[Any]:
        endpoint_id, secret = await service.add_endpoint(actor, data)
        if request.htmx.partial:
            return fragment(request, "webhooks/_added.html", id=endpoint_id, shown=secret)
        return await _detail(request, actor, endpoint_id, secret)


class EndpointController(Controller):
    path = "/webhooks/{endpoint_id:uuid}"

    @get("/", name="webhooks:endpoint")
    async def show(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        endpoint_id: FromPath[UUID],
        before: FromQuery[datetime | None] = None,
    ) -> Response[str]:
        state = request.query_params.get("state", "")  # as a parameter, "state" is a word of the framework
        return await _detail(request, actor, endpoint_id, state=state, before=before)

    @post("/switching-off", name="webhooks:switch-off")
    async def off(self, request: Request, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]) -> Response[Any]:
        await service.switch(actor, endpoint_id, on=False)
        return switched(request, f"{HERE}/{endpoint_id}", "Switched off. What happens is kept.", on=False)

    @post("/switching-on", name="webhooks:switch-on")
    async def on(self, request: Request, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]) -> Response[Any]:
        await service.switch(actor, endpoint_id, on=True)
        return switched(request, f"{HERE}/{endpoint_id}", "Switched on. What was kept is sent now.", on=True)

    @post("/trial", name="webhooks:test")
    async def trial(
        self, request: Request, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.test_endpoint(actor, endpoint_id)
        flash(request, "A test is on its way.")
        return go(request, f"{HERE}/{endpoint_id}")

    @post("/secret", name="webhooks:secret")
    async def secret(
        self, request: Request, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _detail(request, actor, endpoint_id, await service.renew_secret(actor, endpoint_id))

    @post("/replays", name="webhooks:replay-dead")
    async def replay(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        endpoint_id: FromPath[UUID],
        data: URLEncodedBody[ReplayForm],
    ) -> Response[Any]:
        number = await service.replay_dead(actor, endpoint_id, data.since)
        flash(request, f"{number} {'is' if number == 1 else 'are'} sent again.")
        return go(request, f"{HERE}/{endpoint_id}")

    @post("/removal", name="webhooks:remove")
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], endpoint_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.remove_endpoint(actor, endpoint_id)
        flash(request, "The endpoint is removed.")
        return go(request, HERE)


class DeliveryController(Controller):
    path = "/webhooks/deliveries/{delivery_id:uuid}"

    @post("/replay", name="webhooks:replay")
    async def replay(
        self, request: Request, actor: NamedDependency[Actor], delivery_id: FromPath[UUID]
    ) -> Response[Any]:
        endpoint_id = await service.replay(actor, delivery_id)
        flash(request, "It is sent again, under the same webhook-id.")
        return go(request, f"{HERE}/{endpoint_id}")


routes: list[Any] = [EndpointsController, EndpointController, DeliveryController]
