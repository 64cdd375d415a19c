"""Keeping flows in order from the list of flows: folders, tags and stars."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app.studio import service, shelf_undo
from app.studio.forms import ChosenForm, FolderForm, words
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import fragment, go


class ShelfController(Controller):
    @post("/folders", name="studio:folder-make", status_code=303)
    async def make(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[FolderForm]
    ) -> Response[Any]:
        return go(request, f"/flows?folder={await service.make_folder(actor, data.name)}")

    @post("/folders/{folder_id:uuid}", name="studio:folder-rename", status_code=303)
    async def rename(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        folder_id: FromPath[UUID],
        data: URLEncodedBody[FolderForm],
    ) -> Response[Any]:
        await service.rename_folder(actor, folder_id, data.name)
        return go(request, f"/flows?folder={folder_id}")

    @post("/folders/{folder_id:uuid}/removal", name="studio:folder-remove", status_code=303)
    async def remove(self, request: Request, actor: NamedDependency[Actor], folder_id: FromPath[UUID]) -> Response[Any]:
        kept = await service.remove_folder(actor, folder_id)
        flash(request, "Folder removed." if not kept else f"Folder removed. {_flows(kept)} stayed.")
        return go(request, "/flows")

    @post("/flows/placements", name="studio:place", status_code=303)
    async def place(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ChosenForm]
    ) -> Response[Any]:
        was = await service.lying(actor, data.chosen, "folder")
        moved = await service.move(actor, data.chosen, data.into)
        undo = shelf_undo.path("folder", was) if moved else ""
        flash(request, f"{_flows(moved)} moved." if moved else "Already there.", undo=undo)
        return go(request, f"/flows?folder={data.folder}" if data.folder else "/flows")

    @post("/flows/tags", name="studio:tag", status_code=303)
    async def tag(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ChosenForm]
    ) -> Response[Any]:
        was = await service.lying(actor, data.chosen, "tags")
        await service.tag(actor, data.chosen, add=words(data.add), remove=words(data.remove))
        flash(request, f"{_flows(len(was))} tagged.", undo=shelf_undo.path("tags", was))
        return go(request, f"/flows?{_tagged(data)}")

    @post("/flows/archivings", name="studio:archive-all", status_code=303)
    async def archive(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ChosenForm]
    ) -> Response[Any]:
        was = await service.lying(actor, data.chosen, "archived")
        away = await service.archive_all(actor, data.chosen)
        undo = shelf_undo.path("archived", was)
        flash(request, f"{_flows(away)} put into the archive." if away else "Already in the archive.", undo=undo)
        return go(request, "/flows?view=list")

    @post("/flows/unarchivings", name="studio:unarchive-all", status_code=303)
    async def unarchive(
        self, request: Request, actor: NamedDependency[Actor], data: URLEncodedBody[ChosenForm]
    ) -> Response[Any]:
        back = await service.archive_all(actor, data.chosen, away=False)
        flash(request, f"{_flows(back)} brought back.")
        return go(request, "/flows?view=list")

    @post("/flows/returns/{token:str}", name="studio:shelf-undo", status_code=204)
    async def put_back(self, actor: NamedDependency[Actor], token: FromPath[str]) -> None:
        await service.put_back(actor, shelf_undo.read(token))

    @post("/flows/{flow_id:uuid}/star", name="studio:star", status_code=200, opt={"viewer": True})
    async def star(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        await service.star(actor, flow_id, on=True)
        return fragment(request, "studio/_star.html", flow_id=flow_id, starred=True)

    @post("/flows/{flow_id:uuid}/unstarring", name="studio:unstar", status_code=200, opt={"viewer": True})
    async def unstar(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        await service.star(actor, flow_id, on=False)
        return fragment(request, "studio/_star.html", flow_id=flow_id, starred=False)


def _flows(count: int) -> str:
    return f"{count} {'flow' if count == 1 else 'flows'}"


def _tagged(data: ChosenForm) -> str:
    """Where the changed flows can be seen: under the tag that was added."""
    return urlencode([("tag", word.strip().lower()) for word in words(data.add)[:1]])
