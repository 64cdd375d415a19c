"""Settings, Files: what steps hold in their settings; and what the editor's file field sends."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from app.errors import Refused
from app.files import queries, service
from app.files.service import MORE, MOST_BYTES
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page
from flows.sdk import File

HERE = "/settings/files"
Name = Annotated[str, Meta(min_length=1, max_length=400)]


class FilesController(Controller):
    path = HERE

    @get("/", name="files:list")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return page(request, "files/list.html", nav="settings", tab="files", files=await queries.files(actor))

    @post("/", name="files:upload", status_code=303, request_max_body_size=MOST_BYTES + MORE)
    async def create(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        sent = (await request.form()).get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Refused("No file came.", remedy="Choose one, then press the button.", field="file")
        kept = await service.keep(actor, sent.filename, await sent.read())
        flash(request, f"“{kept.name}” is here: choose it in the settings of a step.")
        return go(request, HERE)

    @post("/upload", name="files:upload-here", status_code=201, request_max_body_size=MOST_BYTES + MORE)
    async def upload(self, request: Request, actor: NamedDependency[Actor], name: FromQuery[Name]) -> File:
        """The body is the file. The answer is what a setting holds of it."""
        return await service.keep(actor, name, await request.body())

    @get("/{hash:str}/content", name="files:content")
    async def content(self, actor: NamedDependency[Actor], hash: FromPath[str]) -> Response[bytes]:
        return served(*await queries.content(actor, hash))

    @post("/{file_id:uuid}/removal", name="files:remove", status_code=303)
    async def remove(self, request: Request, actor: NamedDependency[Actor], file_id: FromPath[UUID]) -> Response[Any]:
        await service.remove(actor, file_id)
        flash(request, "File removed.")
        return go(request, HERE)


def served(file: queries.FileView, body: bytes) -> Response[bytes]:
    """Pictures in place; everything else is only downloaded, as bytes: nothing is served that could run."""
    how = "inline" if file.shown else f"attachment; filename*=UTF-8''{quote(file.name)}"
    headers = {
        "Content-Disposition": how,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }
    return Response(body, media_type=file.media_type if file.shown else "application/octet-stream", headers=headers)


routes: list[Any] = [FilesController]
