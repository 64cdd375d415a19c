"""JSON twin of a flow's settings page."""

from uuid import UUID

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.studio import exposing, queries
from app.studio.exposing import ExposedForm, ShownSetting
from app.web.actor import Actor


class ExposingApi(Controller):
    path = "/flows/{flow_id:uuid}/settings-form"
    tags = ["Flows"]

    @get("/", name="api:settings-form", summary="Settings on the flow's settings page")
    async def show(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[ShownSetting]:
        flow, rev = await queries.draft(actor, flow_id)
        return exposing.listed(exposing.shown(flow, queries.problems_at(flow_id, rev, flow)))

    @put("/", name="api:save-settings-form", summary="Set some of them in the draft")
    async def save(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[ExposedForm]
    ) -> list[ShownSetting]:
        await exposing.set_values(actor, flow_id, data)
        flow, rev = await queries.draft(actor, flow_id)
        return exposing.listed(exposing.shown(flow, queries.problems_at(flow_id, rev, flow)))
