"""Links to one run: making and taking back for members, and what somebody sees who has one."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app import config
from app.runs import queries, shares
from app.runs.controllers.runs import STARTED_BY
from app.runs.forms import ShareForm
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.links import HEADERS
from app.web.render import go, page


class SharesController(Controller):
    path = "/runs/{run_id:uuid}/shares"

    @get("/", name="runs:shares")
    async def index(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[str]:
        run = await queries.run(actor, run_id)
        open_links = await shares.shares(actor, run_id)
        address = config.settings().base_url
        return page(request, "runs/shares.html", nav="runs", run=run, shares=open_links, address=address)

    @post("/", name="runs:share")
    async def create(
        self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: URLEncodedBody[ShareForm]
    ) -> Response[Any]:
        await shares.share(actor, run_id, data.days)
        flash(request, "Whoever has the link can see this run.")
        return go(request, f"/runs/{run_id}/shares")

    @post("/{share_id:uuid}/revocation", name="runs:unshare")
    async def revoke(
        self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID], share_id: FromPath[UUID]
    ) -> Response[Any]:
        await shares.take_back(actor, run_id, share_id)
        flash(request, "The link shows nothing any more.")
        return go(request, f"/runs/{run_id}/shares")


class SharedController(Controller):
    path = "/shared/runs/{token:str}"
    opt = {"public": True}

    @get("/", name="runs:shared")
    async def show(
        self,
        request: Request,
        token: FromPath[str],
        step: FromQuery[str] = "",
        tab: FromQuery[str] = "",
        view: FromQuery[str] = "",
    ) -> Response[str]:
        shown = await shares.opened(token, step=step, tab=tab, view=view)
        template = "runs/_run.html" if request.htmx.partial else "runs/shared.html"
        return page(request, template, headers=HEADERS, shown=shown, words=STARTED_BY)
