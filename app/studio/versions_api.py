"""JSON twins of what people do with versions."""

from typing import Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from app.runs import queries as runs
from app.studio import approvals, service, sharing
from app.studio.comparing import Side, compare
from app.studio.difference import FieldChange, StepChange, WireChange
from app.studio.giving import Todo
from app.studio.history import history
from app.studio.version_forms import AboutVersionForm, AnswerForm, AskForm, Ref, RolloutForm, RuleForm, ShareFlowForm
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


class RolloutView(Struct, frozen=True):
    """`rollout` null: nothing was rolled out in the last 30 days. `verdicts`: the new version beside the old one, with
    95 % intervals; "early" = too few runs to say.
    """

    rollout: runs.Rollout | None
    verdicts: list[runs.Verdict]


class CopiedView(Struct, frozen=True):
    """A flow of one's own, and what is left to do in it."""

    id: UUID
    todo: list[Todo]


class RolloutApi(Controller):
    path = "/flows/{flow_id:uuid}/rollout"
    tags = ["Flows"]

    @get("/", name="api:rollout", summary="The rollout of a new version, in figures")
    async def show(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> RolloutView:
        shown = await history(actor, flow_id)
        return RolloutView(shown.rollout, shown.verdicts)

    @put("/", name="api:rollout-set", summary="Give a version to a part of those who ask", status_code=204)
    async def begin(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RolloutForm]) -> None:
        await service.roll_out(actor, flow_id, data)

    @post("/finish", name="api:rollout-finish", summary="Make it live for everybody", status_code=200)
    async def finish(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, int]:
        return {"number": await service.finish_rollout(actor, flow_id)}

    @delete("/", name="api:rollout-stop", summary="Stop it: everybody gets the live version", status_code=204)
    async def stop(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> None:
        await service.stop_rollout(actor, flow_id)


class ApprovalsApi(Controller):
    tags = ["Flows"]

    @get("/approvals", name="api:approvals", summary="Versions that wait for an owner's word")
    async def index(self, actor: NamedDependency[Actor]) -> list[approvals.Request]:
        return await approvals.open_requests(actor)

    @post("/flows/{flow_id:uuid}/versions/{version_id:uuid}/approvals", name="api:approval-ask", summary="Ask for it")
    async def ask(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        version_id: FromPath[UUID],
        data: JSONBody[AskForm],
    ) -> dict[str, str]:
        return {"id": str(await service.ask(actor, flow_id, version_id, data.words))}

    @post(
        "/approvals/{request_id:uuid}/answer", name="api:approval-answer", summary="Approve or reject", status_code=204
    )
    async def answer(
        self, actor: NamedDependency[Actor], request_id: FromPath[UUID], data: JSONBody[AnswerForm]
    ) -> None:
        await service.answer(actor, request_id, data)

    @delete(
        "/approvals/{request_id:uuid}", name="api:approval-withdraw", summary="Take a request back", status_code=204
    )
    async def withdraw(self, actor: NamedDependency[Actor], request_id: FromPath[UUID]) -> None:
        await service.withdraw(actor, request_id)

    @get("/publishing", name="api:publishing", summary="What this workspace wants before a version goes live")
    async def rule(self, actor: NamedDependency[Actor]) -> RuleForm:
        return RuleForm(await approvals.wanted(actor))

    @put(
        "/publishing", name="api:publishing-rule", summary="Whether new versions need an owner's word", status_code=204
    )
    async def set_rule(self, actor: NamedDependency[Actor], data: JSONBody[RuleForm]) -> None:
        await service.set_rule(actor, approval=data.approval)


class FlowSharesApi(Controller):
    path = "/flows/{flow_id:uuid}/shares"
    tags = ["Flows"]

    @get("/", name="api:flow-shares", summary="Open links to a flow")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[sharing.FlowLink]:
        return await sharing.flow_links(actor, flow_id)

    @post("/", name="api:flow-share", summary="Make a link that shows a flow")
    async def create(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[ShareFlowForm]
    ) -> sharing.FlowLink:
        return await sharing.share_flow(actor, flow_id, data.days, data.version)

    @delete("/{flow_share_id:uuid}", name="api:flow-unshare", summary="Take a link back", status_code=204)
    async def revoke(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], flow_share_id: FromPath[UUID]
    ) -> None:
        await sharing.take_back_flow(actor, flow_id, flow_share_id)


class SharedCopyApi(Controller):
    tags = ["Flows"]

    @post("/shared/flows/{token:str}/copy", name="api:copy-shared", summary="Make a copy of a shared flow")
    async def copy(self, actor: NamedDependency[Actor], token: FromPath[str]) -> CopiedView:
        todo = (await sharing.opened(token)).todo
        return CopiedView(await sharing.copy_shared(actor, token), todo)


def _side(side: Side) -> SideView:
    return SideView(side.ref, side.title, side.version_id)


api_routes: list[Any] = [VersionsApi, RolloutApi, ApprovalsApi, FlowSharesApi, SharedCopyApi]
