"""The site as a whole: its address, its look, its pages."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.sites import queries, service
from app.sites.forms import NewPageForm, OpenForm, SiteForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page


class SiteController(Controller):
    path = "/site"

    @get("/", name="sites:site")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[str]:
        return page(request, "sites/site.html", nav="site", site=await queries.site(actor), errors={}, values={})

    @post("/", name="sites:opening")
    async def open(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[OpenForm]
    ) -> Response[Any]:
        await service.open_site(actor, data.name)
        return go(request, "/site")

    @post("/{site_id:uuid}", name="sites:change")
    async def change(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        data: URLEncodedBody[SiteForm],
    ) -> Response[Any]:
        await service.change_site(actor, site_id, data)
        flash(request, "Site saved. Visitors see it now.")
        return go(request, "/site")

    @post("/{site_id:uuid}/pages", name="sites:new-page")
    async def add_page(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        site_id: FromPath[UUID],
        data: URLEncodedBody[NewPageForm],
    ) -> Response[Any]:
        page_id = await service.add_page(actor, site_id, data)
        return go(request, f"/site/pages/{page_id}")
