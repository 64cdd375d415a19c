"""Which published version is live: going back to an older one, and forward again."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.studio import service
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go


class VersionsController(Controller):
    path = "/flows/{flow_id:uuid}/versions/{version_id:uuid}"

    @post("/live", name="studio:make-live", status_code=200)
    async def make_live(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        version_id: FromPath[UUID],
        to: FromQuery[str] = "",
    ) -> Response[Any]:
        """The toast's undo is the same deed with the version that was live before."""
        outline = to == "outline"
        now, before = await service.make_live(actor, flow_id, version_id)
        here = f"/flows/{flow_id}/versions"
        undo = f"{here}/{before}/live{'?to=outline' if outline else ''}" if before is not None else ""
        flash(request, f"Version {now} is live from now on.", undo=undo)
        return go(request, f"/flows/{flow_id}/outline?panel=versions" if outline else f"/flows/{flow_id}")
