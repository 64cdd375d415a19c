"""The API of sites: the same verbs as the editor, by bearer key."""

from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.errors import NotFound
from app.sites import queries, service
from app.sites.forms import NewPageForm, OpenForm, PageForm, SiteForm
from app.sites.queries import PageView, SiteView
from app.web.actor import Actor


class Made(Struct, frozen=True):
    id: UUID


class Revision(Struct, frozen=True):
    rev: int


class Version(Struct, frozen=True):
    number: int


class SiteApi(Controller):
    path = "/site"
    tags = ["Sites"]

    @get("/", summary="The workspace's site with its pages")
    async def show(self, actor: NamedDependency[Actor]) -> SiteView:
        found = await queries.site(actor)
        if found is None:
            raise NotFound("This workspace has no site yet.", remedy="Open one under Site.")
        return found

    @post("/", summary="Open the workspace's site; the one there is when it has one")
    async def open(self, actor: NamedDependency[Actor], data: JSONBody[OpenForm]) -> Made:
        return Made(await service.open_site(actor, data.name))

    @put("/{site_id:uuid}", summary="Change name, address and look", status_code=204)
    async def change(self, actor: NamedDependency[Actor], site_id: FromPath[UUID], data: JSONBody[SiteForm]) -> None:
        await service.change_site(actor, site_id, data)

    @post("/{site_id:uuid}/pages", summary="Add a page")
    async def add_page(
        self, actor: NamedDependency[Actor], site_id: FromPath[UUID], data: JSONBody[NewPageForm]
    ) -> Made:
        return Made(await service.add_page(actor, site_id, data))


class PageApi(Controller):
    path = "/pages/{page_id:uuid}"
    tags = ["Sites"]

    @get("/", summary="A page with its draft")
    async def show(self, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> PageView:
        return await queries.page(actor, page_id)

    @put("/", summary="Replace the draft of a page")
    async def save(self, actor: NamedDependency[Actor], page_id: FromPath[UUID], data: JSONBody[PageForm]) -> Revision:
        return Revision(await service.save_page(actor, page_id, data))

    @post("/versions", summary="Publish the draft as a new version")
    async def publish(self, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> Version:
        return Version(await service.publish_page(actor, page_id))

    @post("/versions/{number:int}/restoration", summary="Copy a version back into the draft")
    async def restore(self, actor: NamedDependency[Actor], page_id: FromPath[UUID], number: FromPath[int]) -> Revision:
        return Revision(await service.restore_page(actor, page_id, number))

    @delete("/publication", summary="Take the page off the site")
    async def withdraw(self, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> None:
        await service.unpublish_page(actor, page_id)


api_routes = [SiteApi, PageApi]
