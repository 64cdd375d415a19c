"""The page editor: parts of the draft at the left, a preview of it at the right."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.errors import NotFound
from app.runs import queries as runs
from app.sites import queries, service
from app.sites.forms import AboutForm, AddForm, PageForm, PlaceForm, block_from, fresh_block, kept_block
from app.sites.visiting.previews import ticket
from app.web import address
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

CHANGED = {"HX-Trigger": "preview:changed"}


class PageController(Controller):
    path = "/site/pages/{page_id:uuid}"

    @get("/", name="sites:page")
    async def show(self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> Response[str]:
        view = await queries.page(actor, page_id)
        flows = await runs.live_flows(actor.workspace_id)
        preview = f"{queries.site_url(view.slug)}preview/{ticket(page_id, address.origin(request.scope))}"
        return page(request, "sites/page.html", nav="site", page=view, flows=flows, preview=preview)

    @post("/", name="sites:page-about")
    async def about(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        page_id: FromPath[UUID],
        data: URLEncodedBody[AboutForm],
    ) -> Response[Any]:
        view = await queries.page(actor, page_id)
        form = PageForm(data.title, view.rev, data.path, data.description, view.blocks)
        await service.save_page(actor, page_id, form)
        return await _saved(request, actor, page_id)

    @post("/publication", name="sites:publication")
    async def publish(self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> Response[Any]:
        number = await service.publish_page(actor, page_id)
        flash(request, f"Version {number} is live.")
        return go(request, f"/site/pages/{page_id}")

    @post("/withdrawal", name="sites:withdrawal")
    async def withdraw(self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID]) -> Response[Any]:
        await service.unpublish_page(actor, page_id)
        flash(request, "Taken off the site.", undo=f"/site/pages/{page_id}/publication")
        return go(request, f"/site/pages/{page_id}")

    @post("/versions/{number:int}/restoration", name="sites:restoration")
    async def restore(
        self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID], number: FromPath[int]
    ) -> Response[Any]:
        await service.restore_page(actor, page_id, number)
        flash(request, f"Version {number} is the draft again. Publish to show it.")
        return go(request, f"/site/pages/{page_id}")


class BlockController(Controller):
    path = "/site/pages/{page_id:uuid}/blocks"

    @post("/", name="sites:new-block")
    async def add(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        page_id: FromPath[UUID],
        data: URLEncodedBody[AddForm],
    ) -> Response[Any]:
        flows = await runs.live_flows(actor.workspace_id)
        block = await service.add_block(actor, page_id, fresh_block(data.kind, [flow.id for flow in flows]))
        return go(request, f"/site/pages/{page_id}#part-{block.id}")

    @post("/{block_id:str}", name="sites:block")
    async def change(
        self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID], block_id: FromPath[str]
    ) -> Response[Any]:
        sent = {key: str(value) for key, value in (await request.form()).items()}
        view = await queries.page(actor, page_id)
        kind = next((block.__struct_config__.tag for block in view.blocks if block.id == block_id), None)
        if kind is None:
            raise NotFound("This part of the page is not there any more.", remedy="Reload the page.")
        await service.change_block(actor, page_id, block_from(str(kind), block_id, sent))
        return await _saved(request, actor, page_id)

    @post("/{block_id:str}/removal", name="sites:block-removal")
    async def remove(
        self, request: Request, actor: NamedDependency[Actor], page_id: FromPath[UUID], block_id: FromPath[str]
    ) -> Response[Any]:
        block, place = await service.remove_block(actor, page_id, block_id)
        kept = msgspec.json.encode(block).hex()
        flash(request, "Part removed.", undo=f"/site/pages/{page_id}/blocks/return?place={place}&block={kept}")
        return go(request, f"/site/pages/{page_id}")

    @post("/return", name="sites:block-return")
    async def bring_back(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        page_id: FromPath[UUID],
        place: FromQuery[int],
        block: FromQuery[str],
    ) -> Response[Any]:
        await service.add_block(actor, page_id, kept_block(block), place)
        return go(request, f"/site/pages/{page_id}")

    @post("/{block_id:str}/placement", name="sites:block-placement")
    async def place(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        page_id: FromPath[UUID],
        block_id: FromPath[str],
        data: URLEncodedBody[PlaceForm],
    ) -> Response[Any]:
        await service.place_block(actor, page_id, block_id, data.position)
        return go(request, f"/site/pages/{page_id}#part-{block_id}")


async def _saved(request: Request, actor: Actor, page_id: UUID) -> Response[Any]:
    """With scripts the state line alone changes and the preview reloads; without, the editor comes back."""
    if not request.htmx:
        flash(request, "Draft saved.")
        return go(request, f"/site/pages/{page_id}")
    view = await queries.page(actor, page_id)
    return fragment(request, "sites/_state.html", headers=CHANGED, page=view)
