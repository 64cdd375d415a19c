"""Flows as wholes: copies, archive, publishing and restoring, files."""

import re
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.studio import queries, rendering, service
from app.studio.forms import PublishForm, RestoreForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from flows.document import dump_flow


def published_words(data: PublishForm, *, live: bool) -> str:
    """What became of it, in a sentence."""
    if live:
        return "Published. Visitors get this version from now on."
    if data.audience == "everybody":
        return "Kept as a version. An owner was asked whether it may go live."
    return "Kept as a version. Nobody gets it yet: roll it out from the page of versions."


class FlowsController(Controller):
    path = "/flows/{flow_id:uuid}"

    @post("/versions", name="studio:publish", status_code=201)
    async def publish(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[PublishForm]
    ) -> dict[str, Any]:
        made = await service.publish(actor, flow_id, data.name, data.notes, live=data.audience == "everybody")
        flow = await queries.editor(actor, flow_id)
        return {
            "html": rendering.draft_state(request, flow.flow, flow.live_flow),
            "toast": published_words(data, live=flow.live_version_id == made),
            "panel": f"/flows/{flow_id}/versions",
        }

    @post("/restoration", name="studio:restore", status_code=200)
    async def restore(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RestoreForm]
    ) -> dict[str, Any]:
        await service.restore(actor, flow_id, data.version_id)
        return {"resync": True, "toast": "The draft is that version again.", "undo": True}

    @post("/copies", name="studio:duplicate", status_code=201)
    async def duplicate(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, Any]:
        return {"to": f"/flows/{await service.duplicate(actor, flow_id)}"}

    @post("/archiving", name="studio:archive", status_code=200)
    async def archive(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, Any]:
        gone = await service.archive(actor, flow_id)
        more = " It was live: nothing starts it any more." if gone.live else ""
        flash(request, f"{gone.name} is in the archive.{more}", undo=f"/flows/{flow_id}/unarchiving")
        return {"to": "/flows"}

    @post("/unarchiving", name="studio:unarchive", status_code=200)
    async def unarchive(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]
    ) -> dict[str, Any]:
        back = await service.unarchive(actor, flow_id)
        flash(request, f"{back.name} is back{' and live again' if back.live else ''}.")
        return {"to": f"/flows/{flow_id}"}

    @get("/export", name="studio:export")
    async def export(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[bytes]:
        flow = await service.export_flow(actor, flow_id)
        name = re.sub(r"[^a-z0-9]+", "-", flow.name.lower()).strip("-") or "flow"
        headers = {"content-disposition": f'attachment; filename="{name}.flow.json"'}
        return Response(dump_flow(flow), media_type="application/json", headers=headers)
