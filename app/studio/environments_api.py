"""JSON twins of what people do with environments."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.runs.queries import Stage
from app.studio import environments, history, service
from app.studio.variables_api import VariablesApi
from app.studio.version_forms import EnvironmentForm, InsteadForm, StageForm
from app.web.actor import Actor


class EnvironmentsApi(Controller):
    path = "/environments"
    tags = ["Flows"]

    @get("/", name="api:environments", summary="Environments besides live, and what they use instead")
    async def index(self, actor: NamedDependency[Actor]) -> list[environments.Place]:
        return await environments.places(actor)

    @post("/", name="api:environment-add", summary="Add an environment")
    async def add(self, actor: NamedDependency[Actor], data: JSONBody[EnvironmentForm]) -> dict[str, str]:
        return {"id": str(await service.add_environment(actor, data))}

    @delete("/{environment_id:uuid}", name="api:environment-remove", summary="Remove an environment", status_code=204)
    async def remove(self, actor: NamedDependency[Actor], environment_id: FromPath[UUID]) -> None:
        await service.remove_environment(actor, environment_id)

    @put("/{environment_id:uuid}/values", name="api:environment-set", summary="Use something else there")
    async def set_value(
        self, actor: NamedDependency[Actor], environment_id: FromPath[UUID], data: JSONBody[InsteadForm]
    ) -> dict[str, int]:
        return {"flows": await service.set_instead(actor, environment_id, data)}

    @delete(
        "/{environment_id:uuid}/values/{value_id:uuid}",
        name="api:environment-unset",
        summary="Use there what the flows say",
        status_code=200,
    )
    async def unset(
        self, actor: NamedDependency[Actor], environment_id: FromPath[UUID], value_id: FromPath[UUID]
    ) -> dict[str, int]:
        return {"flows": await service.remove_instead(actor, environment_id, value_id)}


class StagesApi(Controller):
    path = "/flows/{flow_id:uuid}/stages"
    tags = ["Flows"]

    @get("/", name="api:stages", summary="What each environment runs of a flow, and its addresses there")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[Stage]:
        return (await history.history(actor, flow_id)).stages

    @put("/", name="api:stage", summary="Run a version in an environment")
    async def stage(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[StageForm]
    ) -> dict[str, str]:
        return {"environment": await service.stage(actor, flow_id, data)}

    @delete("/{environment_id:uuid}", name="api:unstage", summary="Run nothing of a flow there", status_code=204)
    async def unstage(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], environment_id: FromPath[UUID]
    ) -> None:
        await service.unstage(actor, flow_id, environment_id)


api_routes: list[Any] = [EnvironmentsApi, StagesApi, VariablesApi]
