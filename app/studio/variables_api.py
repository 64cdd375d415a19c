"""JSON twins of what people do with variables."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from app.studio import service, variables
from app.studio.version_forms import VariableForm
from app.web.actor import Actor

Name = FromPath[Annotated[str, Meta(max_length=64)]]


class VariablesApi(Controller):
    path = "/variables"
    tags = ["Flows"]

    @get("/", name="api:variables", summary="Variables of live and of each environment")
    async def index(self, actor: NamedDependency[Actor]) -> list[variables.Place]:
        return await variables.places(actor)

    @put("/", name="api:variable-put", summary="Name a value, or change it")
    async def put_one(self, actor: NamedDependency[Actor], data: JSONBody[VariableForm]) -> dict[str, str]:
        """Runs that begin from now on have it. `environment`: the id of one, "" = live."""
        return {"environment": await service.put_variable(actor, data)}

    @delete("/{variable:str}", name="api:variable-remove", summary="Remove a variable", status_code=204)
    async def remove(
        self, actor: NamedDependency[Actor], variable: Name, environment: FromQuery[UUID | None] = None
    ) -> None:
        await service.remove_variable(actor, variable, environment)

    @post("/{variable:str}/return", name="api:variable-return", summary="Bring a variable back", status_code=200)
    async def bring_back(
        self, actor: NamedDependency[Actor], variable: Name, environment: FromQuery[UUID | None] = None
    ) -> dict[str, str]:
        return {"environment": await service.return_variable(actor, variable, environment)}
