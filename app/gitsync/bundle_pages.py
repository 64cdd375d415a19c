"""A flow with all that belongs to it as one file to take away, and such files brought in."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.errors import Refused
from app.gitsync import bundling
from app.gitsync.archive import MOST_ARCHIVE, belongs, pack, unpack
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page
from flows.files import FORMS

MORE = 64 * 1024
"""Bytes that a form says around a file."""


class BundleController(Controller):
    path = "/flows"

    @get("/{flow_id:uuid}/bundle", name="bundles:download")
    async def download(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[bytes]:
        return zipped(await bundling.packed(actor, [flow_id]))

    @get("/import", name="bundles:import-page")
    async def show(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return page(request, "gitsync/import.html", nav="flows", refused=None)

    @post("/import", name="bundles:import", status_code=303, request_max_body_size=MOST_ARCHIVE + MORE)
    async def take(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        sent = (await request.form()).get("file")
        try:
            if not isinstance(sent, UploadFile) or not sent.filename:
                raise Refused("Choose a file first.", field="file")
            taken = await bundling.unpacked(actor, entries(sent.filename, await sent.read()))
        except Refused as refused:
            return page(request, "gitsync/import.html", status_code=refused.status, nav="flows", refused=refused)
        words = [f"{len(taken.flows)} {'flow is' if len(taken.flows) == 1 else 'flows are'} here."]
        if taken.missing:
            words.append(f"Not in the file, and not in this workspace: {', '.join(taken.missing[:5])}.")
        flash(request, " ".join(words), "warning" if taken.missing else "success")
        return go(request, f"/flows/{taken.flows[0].id}" if len(taken.flows) == 1 else "/flows")


def entries(name: str, content: bytes) -> dict[str, bytes]:
    """Of an archive, or of one flow's own file. Raises Refused."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    if content.startswith(b"PK") or not plain.lower().endswith(tuple(FORMS)):
        return unpack(content)
    return {plain if belongs(plain) else "flow.json": content}


def zipped(found: dict[str, bytes]) -> Response[bytes]:
    """One flow's archive is called as its file."""
    name = min((path for path in found if "/" not in path), key=len).rpartition(".")[0]
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign == "-") else "_" for sign in name)
    headers = {"content-disposition": f'attachment; filename="{plain}.zip"', "x-content-type-options": "nosniff"}
    return Response(pack(found), media_type="application/zip", headers=headers)


routes: list[Any] = [BundleController]
