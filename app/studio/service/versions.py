"""Publishing: a draft becomes an immutable version (kept by app.runs), and comes back as a draft."""

from uuid import UUID, uuid4

import msgspec

from app import events
from app.db import Tx, tenant_tx
from app.errors import Conflict, DomainError, NotFound, Refused
from app.runs import service as runs
from app.runs.queries import VersionView
from app.studio.forms import FlowReplace
from app.studio.gates import gate
from app.studio.ops import apply
from app.studio.service import store
from app.studio.service.approving import ask_for, may_go_live, wants_approval
from app.web import Actor
from flows import catalogue
from flows.compile import check
from flows.model import Flow

UNKNOWN = "This version does not exist."


class NotReady(Refused):
    """The draft can't run yet. `node`: the step to look at first."""

    def __init__(self, message: str, count: int, node: str) -> None:
        more = count - 1
        others = f"{more} more {'thing needs' if more == 1 else 'things need'} attention." if more > 0 else ""
        super().__init__(message, remedy=others, code="not_ready")
        self.node = node


def ready(flow: Flow) -> None:
    """Raises NotReady when the flow could not run."""
    faults = [problem for problem in check(flow, catalogue.load()) if problem.severity == "error"]
    if faults:
        raise NotReady(faults[0].message, len(faults), faults[0].node)
    if not flow.nodes:
        raise NotReady("There is no step in this flow yet.", 1, "")


async def publish(actor: Actor, flow_id: UUID, name: str, notes: str, *, live: bool = True) -> UUID:
    """Freeze the draft as a new version and make it the live one (`live` false: not yet). Returns the version's id.

    A draft that equals the live version gives that version again. Raises NotReady when it could not run, Refused when
    it does not pass the gate, and Conflict when it was edited while the gate looked at it.

    Where the workspace wants approvals the version is not live yet: an owner is asked.
    """
    async with tenant_tx(actor.workspace_id):
        seen = (await store.locked(flow_id)).flow
    ready(seen)
    await gate().may_publish(actor, flow_id, seen)
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if draft.flow != seen:
            raise Conflict("Somebody changed the draft at this moment.", remedy="Look at it, then publish again.")
        at_once = live and not await wants_approval(tx)
        version_id = await runs.save_version(
            tx, actor.workspace_id, flow_id, draft.flow, name, actor.user_id, notes=notes, live=at_once
        )
        if at_once:
            await _is_live(tx, actor, flow_id, version_id)
        else:
            told = {"flow": str(flow_id), "version": str(version_id), "by": actor.name}
            await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "version.saved", told)
            version = await published(tx, flow_id, version_id)
            if live and version.live_at is None:
                await ask_for(tx, actor, version, notes or name)
    return version_id


async def make_live(actor: Actor, flow_id: UUID, version_id: UUID) -> tuple[int, UUID | None]:
    """Let a published version run in public again; the draft stays as it is. No gate: going back must not take long.

    Returns its number, and the version that was live before (None: none was). Raises NotFound, and Conflict for a flow
    in the archive and for the version that is live already; Refused when it needs an approval first.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        row = await tx.fetchrow("select live_version_id, archived_at from flow where id = $1", flow_id)
        version = await published(tx, flow_id, version_id)
        if row["archived_at"] is not None:
            raise Conflict("This flow is in the archive.", remedy="Bring it back, then choose what is live.")
        if row["live_version_id"] == version_id:
            raise Conflict(f"Version {version.number} is live already.", code="unchanged")
        await may_go_live(tx, actor, version)
        await go_live(tx, actor, flow_id, version_id)
    return version.number, row["live_version_id"]


async def go_live(tx: Tx, actor: Actor, flow_id: UUID, version_id: UUID) -> None:
    """A published version, for everybody. The flow is locked by the caller, who has asked whether it may."""
    await runs.bring_back(tx, actor.workspace_id, flow_id, version_id)
    await _is_live(tx, actor, flow_id, version_id)


async def _is_live(tx: Tx, actor: Actor, flow_id: UUID, version_id: UUID) -> None:
    await tx.execute("update flow set live_version_id = $2, updated_at = now() where id = $1", flow_id, version_id)
    told = {"flow": str(flow_id), "version": str(version_id), "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "flow.published", told)
    await events.publish(tx, actor.workspace_id, "workspace", "flow.published", told)


async def published(tx: Tx, flow_id: UUID, version_id: UUID) -> VersionView:
    """Raises NotFound for what is no published version of this flow."""
    version = await runs.version(tx, version_id)
    if version is None or version.flow_id != flow_id or version.kind != "published":
        raise NotFound(UNKNOWN)
    return version


async def restore(actor: Actor, flow_id: UUID, version_id: UUID) -> int:
    """Make a version's document the draft again, as one undoable edit; what is live stays. Returns the new revision."""
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        version = await runs.version(tx, version_id)
        if version is None or version.flow_id != flow_id:
            raise NotFound(UNKNOWN)
        document = version.document
        if msgspec.json.encode(document) == msgspec.json.encode(draft.flow):
            raise DomainError("The draft is this version already.", status=409, code="unchanged")
        ops = [FlowReplace(document)]
        after, inverse = apply(draft.flow, ops)
        return await store.save(tx, actor, draft, after, ops=ops, inverse=inverse, batch=uuid4().hex, client="server")


async def describe(actor: Actor, flow_id: UUID, version_id: UUID, name: str, notes: str) -> None:
    """Give a version another name and other notes; what it does never changes. Who changed what stays on record.

    Raises NotFound for what is no published version of this flow.
    """
    name, notes = " ".join(name.split()), notes.strip()
    async with tenant_tx(actor.workspace_id) as tx:
        await store.locked(flow_id)
        was = await published(tx, flow_id, version_id)
        if (was.name, was.notes) == (name, notes):
            return
        await tx.execute("update flow_version set name = $2, notes = $3 where id = $1", version_id, name, notes)
        told = {
            "flow": str(flow_id), "version": str(version_id), "number": was.number, "by": actor.name,
            "before": {"name": was.name, "notes": was.notes}, "after": {"name": name, "notes": notes},
        }  # fmt: skip
        await events.publish(tx, actor.workspace_id, f"flow:{flow_id}", "version.described", told)
        await events.publish(tx, actor.workspace_id, "workspace", "version.described", told)
