"""A connection made beside what needs it: the dialog of the editor. Every answer is a part of a page."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.errors import NotFound
from app.gateway import queries, service
from app.gateway.forms import ChangeForm, ConnectForm
from app.gateway.providers import LOCAL, PROVIDERS
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import fragment


class InPlaceController(Controller):
    path = "/connections/in-place"

    @get("/", name="gateway:providers-here")
    async def providers(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return fragment(request, "gateway/in_place/_providers.html")

    @get("/with/{provider:str}", name="gateway:form-here")
    async def form(self, request: Request, actor: NamedDependency[Actor], provider: FromPath[str]) -> Response[Any]:
        kind = PROVIDERS.get(provider)
        if kind is None or provider == LOCAL:
            raise NotFound("There is no such provider.", remedy="Choose one of the list.")
        values = {"provider": provider, "name": kind.title, "base_url": kind.base_url}
        return fragment(request, "gateway/in_place/_form.html", values=values, errors={})

    @post("/", name="gateway:connect-here", status_code=201, opt={"form": "gateway/in_place/_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ConnectForm]
    ) -> Response[Any]:
        """Made and tried at once. One that does not work is kept all the same: its key is entered anew below."""
        connection_id = await service.connect(actor, data)
        await service.try_out(actor, connection_id)
        return await _made(request, actor, connection_id, 201)

    @post(
        "/{connection_id:uuid}",
        name="gateway:change-here",
        status_code=200,
        opt={"form": "gateway/in_place/_form.html"},
    )
    async def change(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        connection_id: FromPath[UUID],
        data: URLEncodedBody[ChangeForm],
    ) -> Response[Any]:
        await service.change(actor, connection_id, data)
        await service.try_out(actor, connection_id)
        return await _made(request, actor, connection_id, 200)


async def _made(request: Request, actor: Actor, connection_id: UUID, status: int) -> Response[Any]:
    shown = await queries.overview(actor)
    made = shown.connection(connection_id)
    if made is None:
        raise NotFound("This connection does not exist any more.")
    models = [model for model in shown.models if model.slug == made.slug and not model.embeds]
    values = {"name": made.name, "base_url": made.base_url, "provider": made.provider}
    return fragment(
        request,
        "gateway/in_place/_made.html",
        status_code=status,
        made=made,
        model=models[0].id if models else "",
        values=values | made.options | {"key_hint": made.key_hint, "id": str(made.id)},
        errors={},
    )
