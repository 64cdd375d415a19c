"""The versions of a flow on a page of their own, and any two of them side by side."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.studio import history, service
from app.studio.comparing import compare
from app.studio.difference_picture import picture
from app.studio.version_forms import AboutVersionForm, Ref
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page
from flows import catalogue

NAV = "flows"


class HistoryController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/history", name="studio:history")
    async def index(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        shown = await history.history(actor, flow_id)
        return page(request, "studio/versions/history.html", nav=NAV, shown=shown)

    @get("/comparison", name="studio:comparison")
    async def comparison(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        before: FromQuery[Ref] = "",
        after: FromQuery[Ref] = "",
    ) -> Response[Any]:
        both = await compare(actor, flow_id, before, after)
        drawn = picture(both.before.flow, both.after.flow, both.found, catalogue.load())
        editable = actor.can_edit and not both.archived
        return page(request, "studio/versions/comparison.html", nav=NAV, both=both, drawn=drawn, editable=editable)

    @post("/versions/{version_id:uuid}/about", name="studio:version-about", status_code=303)
    async def about(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        version_id: FromPath[UUID],
        data: URLEncodedBody[AboutVersionForm],
    ) -> Response[Any]:
        await service.describe(actor, flow_id, version_id, data.name, data.notes)
        flash(request, "Saved.")
        return go(request, f"/flows/{flow_id}/history")

    @post("/versions/{version_id:uuid}/restoration", name="studio:version-restore", status_code=303)
    async def restore(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], version_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.restore(actor, flow_id, version_id)
        flash(request, "The draft is that version again.", undo=f"/flows/{flow_id}/outline/undoing")
        return go(request, f"/flows/{flow_id}/history")
