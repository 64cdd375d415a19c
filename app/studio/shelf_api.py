"""JSON twins of keeping flows in order: same forms, same verbs."""

from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.studio import home_queries, service
from app.studio.forms import ChosenForm, FolderForm, words
from app.web.actor import Actor


class MadeFolder(Struct, frozen=True):
    id: UUID


class FoldersApi(Controller):
    path = "/folders"
    tags = ["Flows"]

    @get("/", name="api:folders", summary="Folders, tags in use, and the number of stars")
    async def index(self, actor: NamedDependency[Actor]) -> home_queries.Shelf:
        return await home_queries.shelf(actor)

    @post("/", name="api:folder-make", summary="Make a folder")
    async def make(self, actor: NamedDependency[Actor], data: JSONBody[FolderForm]) -> MadeFolder:
        return MadeFolder(await service.make_folder(actor, data.name))

    @put("/{folder_id:uuid}", name="api:folder-rename", summary="Rename a folder", status_code=204)
    async def rename(
        self, actor: NamedDependency[Actor], folder_id: FromPath[UUID], data: JSONBody[FolderForm]
    ) -> None:
        await service.rename_folder(actor, folder_id, data.name)

    @delete("/{folder_id:uuid}", name="api:folder-remove", summary="Remove a folder; its flows stay")
    async def remove(self, actor: NamedDependency[Actor], folder_id: FromPath[UUID]) -> None:
        await service.remove_folder(actor, folder_id)


class ShelfApi(Controller):
    path = "/flows"
    tags = ["Flows"]

    @put("/placements", name="api:place", summary="Move flows into a folder, or into none", status_code=204)
    async def place(self, actor: NamedDependency[Actor], data: JSONBody[ChosenForm]) -> None:
        await service.move(actor, data.chosen, data.into)

    @put("/tags", name="api:tag", summary="Add and remove tags of flows", status_code=204)
    async def tag(self, actor: NamedDependency[Actor], data: JSONBody[ChosenForm]) -> None:
        await service.tag(actor, data.chosen, add=words(data.add), remove=words(data.remove))

    @put("/archivings", name="api:archive-all", summary="Put flows away", status_code=204)
    async def archive(self, actor: NamedDependency[Actor], data: JSONBody[ChosenForm]) -> None:
        await service.archive_all(actor, data.chosen)

    @put("/unarchivings", name="api:unarchive-all", summary="Bring flows back from the archive", status_code=204)
    async def unarchive(self, actor: NamedDependency[Actor], data: JSONBody[ChosenForm]) -> None:
        await service.archive_all(actor, data.chosen, away=False)

    @put("/{flow_id:uuid}/star", name="api:star", summary="Star a flow, for the key's person", status_code=204)
    async def star(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> None:
        await service.star(actor, flow_id, on=True)

    @delete("/{flow_id:uuid}/star", name="api:unstar", summary="Take the star away")
    async def unstar(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> None:
        await service.star(actor, flow_id, on=False)
