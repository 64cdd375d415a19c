"""JSON twins of Settings, Secrets. No route gives a value."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.vault import queries, service
from app.vault.forms import SecretForm
from app.vault.queries import SecretView
from app.web.actor import Actor


class Kept(Struct, frozen=True):
    id: UUID


class SecretsApi(Controller):
    path = "/secrets"
    tags = ["Secrets"]

    @get("/", name="api:secrets", summary="Names of secrets, never their values")
    async def index(self, actor: NamedDependency[Actor]) -> list[SecretView]:
        return await queries.secrets(actor)

    @put("/", name="api:put-secret", summary="Keep a secret, or replace the one of this name")
    async def put_one(self, actor: NamedDependency[Actor], data: JSONBody[SecretForm]) -> Kept:
        return Kept(await service.put_secret(actor, data.name, data.value, data.hosts))

    @delete("/{secret_id:uuid}", name="api:delete-secret", summary="Forget a secret")
    async def remove(self, actor: NamedDependency[Actor], secret_id: FromPath[UUID]) -> None:
        await service.delete_secret(actor, secret_id)


api_routes: list[Any] = [SecretsApi]
