"""JSON twins of Settings, Files."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.files import queries, service
from app.files.controllers import Name, served
from app.files.queries import FileView
from app.files.service import MORE, MOST_BYTES
from app.web.actor import Actor
from flows.sdk import File


class FilesApi(Controller):
    path = "/files"
    tags = ["Files"]

    @get("/", name="api:files", summary="Files that settings of steps may hold")
    async def index(self, actor: NamedDependency[Actor]) -> list[FileView]:
        return await queries.files(actor)

    @post("/", name="api:file-keep", summary="Keep a file: the body", request_max_body_size=MOST_BYTES + MORE)
    async def keep(self, request: Request[Any, Any, Any], actor: NamedDependency[Actor], name: FromQuery[Name]) -> File:
        return await service.keep(actor, name, await request.body())

    @get("/{hash:str}", name="api:file", summary="The content of a file")
    async def content(self, actor: NamedDependency[Actor], hash: FromPath[str]) -> Response[bytes]:
        return served(*await queries.content(actor, hash))

    @delete("/{file_id:uuid}", name="api:file-remove", summary="Forget a file")
    async def remove(self, actor: NamedDependency[Actor], file_id: FromPath[UUID]) -> None:
        await service.remove(actor, file_id)


api_routes: list[Any] = [FilesApi]
