"""The connections page: who serves models, which one answers, what it may cost."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.errors import NotFound
from app.gateway import queries, service
from app.gateway.forms import BudgetForm, ChangeForm, ConnectForm, DefaultForm, FallbackForm, PlaceForm
from app.gateway.in_place import InPlaceController
from app.gateway.providers import LOCAL, PROVIDERS
from app.web import search
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, offer, page

NAV = "connections"
HERE = "/connections"
search.offer("Connections", "plug", queries.named)
offer("PROVIDERS", {name: provider for name, provider in PROVIDERS.items() if name != LOCAL})


async def _page(request: Request, actor: Actor, panel: str, **more: Any) -> Response[Any]:
    shown = await queries.overview(actor)
    given = {"selected": None, "values": {}, "errors": {}, "asking": False} | more
    return page(request, "gateway/connections.html", nav=NAV, page=shown, panel=panel, **given)


class ConnectionsController(Controller):
    path = "/connections"

    @get("/", name="gateway:connections")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return await _page(request, actor, "")

    @get("/new", name="gateway:providers")
    async def providers(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return await _page(request, actor, "providers")

    @get("/new/{provider:str}", name="gateway:new-connection")
    async def new(
        self, request: Request, actor: NamedDependency[Actor], provider: FromPath[str], base_url: FromQuery[str] = ""
    ) -> Response[Any]:
        kind = PROVIDERS.get(provider)
        if kind is None or provider == LOCAL:
            raise NotFound("There is no such provider.", remedy="Choose one of the list.")
        values = {"provider": provider, "name": kind.title, "base_url": base_url[:500] or kind.base_url}
        return await _page(request, actor, "connect", values=values)

    @post("/", name="gateway:connect", opt={"form": "gateway/_connect_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ConnectForm]
    ) -> Response[Any]:
        connection_id = await service.connect(actor, data)
        return go(request, f"{HERE}/{connection_id}?ask=yes")

    @get("/nearby", name="gateway:nearby")
    async def nearby(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return fragment(request, "gateway/_nearby.html", found=await service.nearby(actor))

    @get("/{connection_id:uuid}", name="gateway:connection")
    async def show(
        self, request: Request, actor: NamedDependency[Actor], connection_id: FromPath[UUID], ask: FromQuery[str] = ""
    ) -> Response[Any]:
        shown = await queries.overview(actor)
        selected = shown.connection(connection_id)
        if selected is None:
            raise NotFound("This connection does not exist any more.")
        values = {"name": selected.name, "base_url": selected.base_url, "provider": selected.provider}
        return page(
            request,
            "gateway/connections.html",
            nav=NAV,
            page=shown,
            panel="change",
            selected=selected,
            values=values | selected.options | {"key_hint": selected.key_hint},
            errors={},
            asking=bool(ask) and selected.tested_at is None and actor.can_edit,
        )

    @post("/{connection_id:uuid}", name="gateway:change", opt={"form": "gateway/_change_form.html"})
    async def change(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        connection_id: FromPath[UUID],
        data: URLEncodedBody[ChangeForm],
    ) -> Response[Any]:
        await service.change(actor, connection_id, data)
        return go(request, f"{HERE}/{connection_id}?ask=yes")

    @post("/{connection_id:uuid}/trial", name="gateway:try")
    async def trial(
        self, request: Request, actor: NamedDependency[Actor], connection_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.try_out(actor, connection_id)
        if not request.htmx.partial:
            return go(request, f"{HERE}/{connection_id}")
        shown = await queries.overview(actor)
        beside = str(connection_id) in (request.headers.get("hx-current-url") or "")
        selected = shown.connection(connection_id) if beside else None
        return fragment(request, "gateway/tried.oob.html", page=shown, selected=selected)

    @post("/{connection_id:uuid}/removal", name="gateway:remove")
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], connection_id: FromPath[UUID]
    ) -> Response[Any]:
        name = await service.remove(actor, connection_id)
        flash(request, f"{name} removed.", undo=f"{HERE}/{connection_id}/restoration")
        return go(request, HERE)

    @post("/{connection_id:uuid}/restoration", name="gateway:restore")
    async def restore(
        self, request: Request, actor: NamedDependency[Actor], connection_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.restore(actor, connection_id)
        return go(request, HERE)


class ChoicesController(Controller):
    """Who answers, in which order."""

    path = "/connections"

    @post("/default", name="gateway:choose-default", opt={"form": "gateway/_default.html"})
    async def default(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[DefaultForm]
    ) -> Response[Any]:
        await service.choose_default(actor, data)
        flash(request, "Saved. From the next call on.")
        return go(request, HERE)

    @post("/fallbacks", name="gateway:add-fallback")
    async def add(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[FallbackForm]
    ) -> Response[Any]:
        await service.add_fallback(actor, data.model)
        return go(request, HERE)

    @post("/fallbacks/placement", name="gateway:move-fallback")
    async def move(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[PlaceForm]
    ) -> Response[Any]:
        await service.move_fallback(actor, data.model, data.place)
        return go(request, HERE)

    @post("/fallbacks/removal", name="gateway:remove-fallback")
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[FallbackForm]
    ) -> Response[Any]:
        await service.remove_fallback(actor, data.model)
        return go(request, HERE)


class BudgetsController(Controller):
    path = "/connections/budgets"

    @post("/", name="gateway:set-budget", opt={"form": "gateway/_budget_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[BudgetForm]
    ) -> Response[Any]:
        await service.set_budget(actor, data)
        flash(request, "Limit saved. It holds from the next call on.")
        return go(request, HERE)

    @post("/{budget_id:uuid}/removal", name="gateway:remove-budget")
    async def remove(self, request: Request, actor: NamedDependency[Actor], budget_id: FromPath[UUID]) -> Response[Any]:
        await service.remove_budget(actor, budget_id)
        flash(request, "Limit removed.")
        return go(request, HERE)


routes = [ConnectionsController, ChoicesController, BudgetsController, InPlaceController]
