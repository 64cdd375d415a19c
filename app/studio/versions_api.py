"""JSON twins of what people do with versions."""

from typing import Any
from uuid import UUID

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from app.studio import service
from app.studio.comparing import Side, compare
from app.studio.difference import FieldChange, StepChange, WireChange
from app.studio.version_forms import AboutVersionForm, Ref
from app.web.actor import Actor


class SideView(Struct, frozen=True):
    """`ref`: "draft", "nothing" or the version's number."""

    ref: str
    title: str
    version_id: UUID | None


class ComparisonView(Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """How one state of a flow became another. `runs_alike`: at most something was moved on the canvas.

    A field's side that has no value is left out. `words`: stretches of text that are the same, gone or new.
    """

    before: SideView
    after: SideView
    runs_alike: bool
    steps: list[StepChange]
    wires: list[WireChange]
    flow: list[FieldChange]


class VersionsApi(Controller):
    path = "/flows/{flow_id:uuid}"
    tags = ["Flows"]

    @get("/comparison", name="api:comparison", summary="What is different between two versions, or to the draft")
    async def comparison(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        before: FromQuery[Ref] = "",
        after: FromQuery[Ref] = "",
    ) -> ComparisonView:
        both = await compare(actor, flow_id, before, after)
        found = both.found
        return ComparisonView(
            _side(both.before), _side(both.after), found.runs_alike, found.steps, found.wires, found.flow
        )

    @put("/versions/{version_id:uuid}", name="api:version-about", summary="Name a version", status_code=204)
    async def about(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        version_id: FromPath[UUID],
        data: JSONBody[AboutVersionForm],
    ) -> None:
        await service.describe(actor, flow_id, version_id, data.name, data.notes)


def _side(side: Side) -> SideView:
    return SideView(side.ref, side.title, side.version_id)


api_routes: list[Any] = [VersionsApi]
