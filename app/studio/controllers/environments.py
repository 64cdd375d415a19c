"""Environments besides live: their page, and putting versions of a flow there."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.gateway import queries as gateway
from app.studio import environments, service
from app.studio.version_forms import EnvironmentForm, InsteadForm, StageForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page

PAGE = "/settings/environments"


class EnvironmentsController(Controller):
    path = PAGE

    @get("/", name="studio:environments")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        places = await environments.places(actor)
        names = {str(each.id): each.name for each in (await gateway.overview(actor)).connections} if places else {}
        return page(
            request, "studio/versions/environments.html", nav="settings", tab="environments", places=places, names=names
        )

    @post("/", name="studio:environment-add", status_code=303)
    async def add(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[EnvironmentForm]
    ) -> Response[Any]:
        await service.add_environment(actor, data)
        flash(request, "Added. Put versions there on a flow's page of versions.")
        return go(request, PAGE)

    @post("/{environment_id:uuid}/removal", name="studio:environment-remove", status_code=303)
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], environment_id: FromPath[UUID]
    ) -> Response[Any]:
        flash(request, f"{await service.remove_environment(actor, environment_id)} is gone.")
        return go(request, PAGE)

    @post("/{environment_id:uuid}/values", name="studio:environment-set", status_code=303)
    async def set_value(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        environment_id: FromPath[UUID],
        data: URLEncodedBody[InsteadForm],
    ) -> Response[Any]:
        bound = await service.set_instead(actor, environment_id, data)
        flash(request, f"Saved. {bound} {'flow uses' if bound == 1 else 'flows use'} it from now on.")
        return go(request, PAGE)

    @post("/{environment_id:uuid}/values/{value_id:uuid}/removal", name="studio:environment-unset", status_code=303)
    async def unset(
        self, request: Request, actor: NamedDependency[Actor], environment_id: FromPath[UUID], value_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.remove_instead(actor, environment_id, value_id)
        flash(request, "Removed. What the flows say counts there again.")
        return go(request, PAGE)


class StagesController(Controller):
    path = "/flows/{flow_id:uuid}/stages"

    @post("/", name="studio:stage", status_code=303)
    async def stage(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: URLEncodedBody[StageForm]
    ) -> Response[Any]:
        flash(request, f"It runs in {await service.stage(actor, flow_id, data)} from now on.")
        return go(request, f"/flows/{flow_id}/history")

    @post("/{environment_id:uuid}/removal", name="studio:unstage", status_code=303)
    async def unstage(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], environment_id: FromPath[UUID]
    ) -> Response[Any]:
        flash(
            request, f"Nothing of this flow runs in {await service.unstage(actor, flow_id, environment_id)} any more."
        )
        return go(request, f"/flows/{flow_id}/history")
