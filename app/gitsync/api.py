"""JSON twins of what people do with the repository."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app import config
from app.errors import NotFound
from app.gitsync import queries, service
from app.gitsync.forms import ChoiceForm, LinkForm, SyncForm
from app.gitsync.shapes import Done, LinkView, Sides
from app.web.actor import Actor


class Hook(Struct, frozen=True):
    """Shown this once; POST to it when something was pushed."""

    url: str


class GitApi(Controller):
    path = "/git"
    tags = ["Git"]

    @get("/", name="api:git", summary="The repository, its files and the last syncs")
    async def show(self, actor: NamedDependency[Actor]) -> LinkView:
        link = await queries.link(actor)
        if link is None:
            raise NotFound(queries.NONE)
        return link

    @put(
        "/", name="api:git-connect", summary="Connect or change the repository", status_code=204, opt={"scope": "admin"}
    )
    async def connect(self, actor: NamedDependency[Actor], data: JSONBody[LinkForm]) -> None:
        await service.connect(actor, data)

    @delete("/", name="api:git-disconnect", summary="Disconnect it", opt={"scope": "admin"})
    async def disconnect(self, actor: NamedDependency[Actor]) -> None:
        await service.disconnect(actor)

    @post("/syncs", name="api:git-sync", summary="Sync now, and wait for it", status_code=200)
    async def sync(self, actor: NamedDependency[Actor], data: JSONBody[SyncForm]) -> Done:
        return await service.sync(actor, pull=data.pull, push=data.push, why="api")

    @post("/hook", name="api:git-hook", summary="A new address for others to call", opt={"scope": "admin"})
    async def hook(self, actor: NamedDependency[Actor]) -> Hook:
        return Hook(config.settings().base_url + await service.open_hook(actor))

    @get("/files/{file_id:uuid}", name="api:git-file", summary="What both sides did to a file")
    async def file(self, actor: NamedDependency[Actor], file_id: FromPath[UUID]) -> Sides:
        return await queries.sides(actor, file_id)

    @put("/files/{file_id:uuid}/choice", name="api:git-choose", summary="Which side stays", status_code=204)
    async def choose(self, actor: NamedDependency[Actor], file_id: FromPath[UUID], data: JSONBody[ChoiceForm]) -> None:
        await service.resolve(actor, file_id, data.choice)


api_routes: list[Any] = [GitApi]
