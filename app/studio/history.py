"""The versions of a flow as its page shows them: who gets which, what is being rolled out, what waits for an owner."""

from uuid import UUID

from msgspec import Struct

from app.db import page_tx
from app.runs import queries as runs
from app.runs.queries import Named, Rollout, Stage, Verdict
from app.studio import approvals, queries
from app.studio.approvals import Request
from app.studio.changes import changes
from app.web import Actor
from flows import catalogue


class History(Struct, frozen=True):
    """`changed`: lines that publishing the draft would change; None = nothing was published yet.

    `rollout`: the one that goes on, or the last of the last 30 days. `asked`: the last request about each version.
    `stages`: environments besides live, in their order. `rule`: the workspace wants an owner's word before anything
    new goes live.
    """

    flow_id: UUID
    name: str
    archived: bool
    changed: int | None
    live_id: UUID | None
    versions: list[Named]
    rollout: Rollout | None
    asked: dict[UUID, Request]
    rule: bool
    stages: list[Stage] = []

    @property
    def live(self) -> Named | None:
        return next((version for version in self.versions if version.id == self.live_id), None)

    @property
    def rolling(self) -> UUID | None:
        """The version that is being rolled out."""
        return self.rollout.version_id if self.rollout is not None and not self.rollout.outcome else None

    @property
    def verdicts(self) -> list[Verdict]:
        return runs.verdicts(self.rollout.new, self.rollout.old) if self.rollout is not None else []

    def may_go_live(self, version: Named) -> bool:
        request = self.asked.get(version.id)
        approved = request is not None and request.decision == "approved"
        return not self.rule or version.live_at is not None or approved


async def history(actor: Actor, flow_id: UUID) -> History:
    """9 statements, 2 more with a rollout, 1 more when the live document was not seen lately. Raises NotFound."""
    async with page_tx(actor.workspace_id) as tx:
        flow = await queries.editor(actor, flow_id)
        versions = await runs.named_versions(actor, flow_id)
        rollout = await runs.rollout_of(tx, flow_id)
        asked = {request.version_id: request for request in reversed(await approvals.of_flow(tx, actor, flow_id))}
        rule = await approvals.wanted(actor)
        stages = await runs.stages_of(tx, flow_id)
    changed = len(changes(flow.live_flow, flow.flow, catalogue.load())) if flow.live_flow is not None else None
    return History(
        flow_id, flow.flow.name, flow.archived, changed, flow.live_version_id, versions, rollout, asked, rule, stages
    )
