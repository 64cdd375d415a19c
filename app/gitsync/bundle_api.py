"""JSON twins of taking flows away and bringing them in."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.gitsync import bundling
from app.gitsync.archive import MOST_ARCHIVE, unpack
from app.gitsync.bundle_pages import zipped
from app.web.actor import Actor


class BundlesApi(Controller):
    path = "/flows"
    tags = ["Flows"]

    @get("/{flow_id:uuid}/bundle", name="api:bundle", summary="A flow with tests, datasets and files, zipped")
    async def download(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[bytes]:
        """Without secrets and connections. Equal flows give equal bytes."""
        return zipped(await bundling.packed(actor, [flow_id]))

    @post("/import", name="api:import", summary="Flows out of such an archive", request_max_body_size=MOST_ARCHIVE)
    async def take(self, request: Request[Any, Any, Any], actor: NamedDependency[Actor]) -> bundling.Taken:
        """The body is the zip file."""
        return await bundling.unpacked(actor, unpack(await request.body()))


api_routes: list[Any] = [BundlesApi]
