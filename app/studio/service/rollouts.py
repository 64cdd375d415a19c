"""Rolling a version out: to part of the visitors first, then to more, then to all; or back."""

from uuid import UUID

from app import events
from app.db import Tx, on_commit, tenant_tx
from app.errors import Conflict
from app.runs import service as runs
from app.studio.service import store
from app.studio.service.approving import may_go_live
from app.studio.service.versions import go_live, published
from app.studio.version_forms import RolloutForm
from app.web import Actor

NONE = "Nothing is being rolled out."


async def roll_out(actor: Actor, flow_id: UUID, form: RolloutForm) -> None:
    """Give a published version to `percent` of those who ask, beside the live one; or change the share and the guard.

    Runs that go on stay with the version they began with. Raises NotFound for what is no published version of this
    flow; Conflict when nothing is live yet, when it is the live one, and while another version is rolled out; Refused
    when the workspace wants an approval that it does not have.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        version = await published(tx, flow_id, form.version_id)
        row = await tx.fetchrow("select live_version_id, archived_at from flow where id = $1", flow_id)
        if row["live_version_id"] is None or row["archived_at"] is not None:
            raise Conflict("Nothing of this flow is live yet.", remedy="Make this version live for everybody.")
        if row["live_version_id"] == form.version_id:
            raise Conflict(f"Version {version.number} is live for everybody already.", code="unchanged")
        other = await runs.rolling_out(tx, flow_id)
        if other is not None and other != form.version_id:
            raise Conflict(
                "Another version is being rolled out.", remedy="Finish or stop that one first.", code="rolling_out"
            )
        await may_go_live(tx, actor, version)
        await runs.begin_rollout(
            tx, actor.workspace_id, flow_id, form.version_id, row["live_version_id"], form.percent,
            form.stop_above, form.after_runs, actor.user_id,
        )  # fmt: skip
        await _tell(tx, actor, flow_id, form.version_id, "rollout.changed" if other else "rollout.began", form.percent)


async def finish_rollout(actor: Actor, flow_id: UUID) -> int:
    """The new version is live for everybody. Returns its number. Raises Conflict when nothing is rolled out."""
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        version_id = await runs.end_rollout(tx, flow_id, "finished")
        if version_id is None:
            raise Conflict(NONE)
        version = await published(tx, flow_id, version_id)
        await go_live(tx, actor, flow_id, version_id)
        await _tell(tx, actor, flow_id, version_id, "rollout.finished", 100)
    return version.number


async def stop_rollout(actor: Actor, flow_id: UUID) -> None:
    """Everybody gets what is live again. Raises Conflict when nothing is rolled out."""
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        version_id = await runs.end_rollout(tx, flow_id, "stopped")
        if version_id is None:
            raise Conflict(NONE)
        await _tell(tx, actor, flow_id, version_id, "rollout.stopped", 0)


async def _tell(tx: Tx, actor: Actor, flow_id: UUID, version_id: UUID, kind: str, percent: int) -> None:
    told = {"flow": str(flow_id), "version": str(version_id), "percent": percent, "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", kind, told)
    await events.publish(tx, actor.workspace_id, "workspace", kind, told)
    on_commit(runs.rollouts_changed)
