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

BACK = {"outline": "/outline?panel=versions", "history": "/history"}
"""Where the button was -> where one is afterwards; the canvas when it does not say."""


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
        now, before = await service.make_live(actor, flow_id, version_id)
        back = f"?to={to}" if to in BACK else ""
        undo = f"/flows/{flow_id}/versions/{before}/live{back}" if before is not None else ""
        flash(request, f"Version {now} is live from now on.", undo=undo)
        return go(request, f"/flows/{flow_id}{BACK.get(to, '')}")
