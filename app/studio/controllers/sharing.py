"""Links to one flow: making and taking back for members, what somebody sees who has one, and making a copy of it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody

from app import config
from app.studio import history, sharing
from app.studio.rendering import script_json
from app.studio.version_forms import ShareFlowForm
from app.web import csp
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.links import HEADERS
from app.web.render import go, page
from app.web.session import actor_of

OWN_PAGE = HEADERS | {"referrer-policy": "same-origin"}
"""Of a page behind a link that has a form: without any referrer the browser would say that it comes from nowhere."""


class FlowSharesController(Controller):
    path = "/flows/{flow_id:uuid}/shares"

    @get("/", name="studio:shares")
    async def index(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        shown = await history.history(actor, flow_id)
        links = await sharing.flow_links(actor, flow_id)
        address = config.settings().base_url
        return page(request, "studio/versions/shares.html", nav="flows", shown=shown, links=links, address=address)

    @post("/", name="studio:share", status_code=303)
    async def create(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        data: URLEncodedBody[ShareFlowForm],
    ) -> Response[Any]:
        await sharing.share_flow(actor, flow_id, data.days, data.version)
        flash(request, "Whoever has the link can see this flow.")
        return go(request, f"/flows/{flow_id}/shares")

    @post("/{flow_share_id:uuid}/revocation", name="studio:unshare", status_code=303)
    async def revoke(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], flow_share_id: FromPath[UUID]
    ) -> Response[Any]:
        await sharing.take_back_flow(actor, flow_id, flow_share_id)
        flash(request, "The link shows nothing any more.")
        return go(request, f"/flows/{flow_id}/shares")


class SharedFlowController(Controller):
    path = "/shared/flows/{token:str}"

    @get("/", name="studio:shared", opt={"public": True})
    async def show(self, request: Request, token: FromPath[str]) -> Response[Any]:
        by = actor_of(request)
        shown = await sharing.looked_at(token, by)
        return page(
            request,
            "studio/versions/shared.html",
            headers=HEADERS | {"content-security-policy": csp.looking(csp.nonce(request.scope))},
            shown=shown,
            edges=script_json([(edge.source, edge.target) for edge in shown.flow.edges]),
            known=by is not None,
        )

    @get("/copy", name="studio:shared-copy")
    async def about(self, request: Request, actor: NamedDependency[Actor], token: FromPath[str]) -> Response[Any]:
        shown = await sharing.opened(token)
        return page(request, "studio/versions/copy.html", headers=OWN_PAGE, nav="flows", shown=shown)

    @post("/copy", name="studio:copy-shared", status_code=303)
    async def copy(self, request: Request, actor: NamedDependency[Actor], token: FromPath[str]) -> Response[Any]:
        flow_id = await sharing.copy_shared(actor, token)
        flash(request, "This copy is yours. It is a draft: nothing runs until you publish it.")
        return go(request, f"/flows/{flow_id}")
