"""Settings, Secrets: put in, replaced, taken away, never shown. Also the dialog of the editor."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Meta

from app.vault import queries, service
from app.vault.forms import SecretForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

HERE = "/settings/secrets"


class SecretsController(Controller):
    path = HERE

    @get("/", name="vault:secrets")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        listed = await queries.secrets(actor)
        return page(request, "vault/secrets.html", nav="settings", tab="secrets", secrets=listed)

    @post("/", name="vault:put-secret", status_code=303, opt={"form": "vault/_secret_form.html"})
    async def create(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[SecretForm]
    ) -> Response[Any]:
        """A new one, or another value for the one of this name."""
        await service.put_secret(actor, data.name, data.value, data.hosts)
        flash(request, f"“{data.name.strip()}” is kept. Nobody can read it back.")
        return go(request, HERE)

    @get("/in-place", name="vault:secret-here")
    async def form_here(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        name: FromQuery[Annotated[str, Meta(max_length=100)]] = "",
    ) -> Response[Any]:
        known = [each for each in await queries.secrets(actor) if each.name == name]
        values = {"name": name, "hosts": known[0].hosts if known else "", "known": bool(known)}
        return fragment(request, "vault/_secret_here.html", values=values, errors={})

    @post("/in-place", name="vault:put-secret-here", status_code=200, opt={"form": "vault/_secret_here.html"})
    async def create_here(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[SecretForm]
    ) -> Response[Any]:
        await service.put_secret(actor, data.name, data.value, data.hosts)
        return fragment(request, "vault/_secret_kept.html", name=data.name.strip())

    @post("/{secret_id:uuid}/removal", name="vault:delete-secret", status_code=303)
    async def remove(self, request: Request, actor: NamedDependency[Actor], secret_id: FromPath[UUID]) -> Response[Any]:
        await service.delete_secret(actor, secret_id)
        flash(request, "Secret removed.")
        return go(request, HERE)


routes: list[Any] = [SecretsController]
