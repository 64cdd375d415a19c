"""Flows as wholes: make, replace, copy, put away and bring back."""

from typing import Any
from uuid import UUID, uuid4

import msgspec

from app import clock, events
from app.db import tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.studio.forms import FlowReplace
from app.studio.ops import OpRefused, apply, check_whole
from app.studio.service import store
from app.studio.service.fragments import exported
from app.studio.tables import FlowDraft
from app.web import Actor
from flows import catalogue
from flows.document import BadDocument, load_flow
from flows.model import Flow


async def create_flow(
    actor: Actor, name: str, document: Flow | dict[str, Any] | None = None, description: str = ""
) -> UUID:
    """A new flow with this document (empty when not given). Its name is `name`, else the document's own.

    Raises Refused when the document is not whole; what it means is not judged, a draft may be unfinished.
    """
    flow = _read(document)
    flow = msgspec.structs.replace(
        flow, name=(name or flow.name or "New flow")[:120], description=description or flow.description
    )
    _whole(flow)
    async with tenant_tx(actor.workspace_id) as tx:
        flow_id: UUID = await tx.fetchval(
            "insert into flow (workspace_id, name, description, document, step_count, created_by) "
            "values ($1, $2, $3, $4, $5, $6) returning id",
            actor.workspace_id,
            flow.name,
            flow.description,
            store.to_json(flow),
            len(flow.nodes),
            actor.user_id,
        )
        await events.publish(tx, actor.workspace_id, "workspace", "flow.created", {"flow": str(flow_id)})
    return flow_id


async def replace_document(
    actor: Actor, flow_id: UUID, document: Flow | dict[str, Any], base: int | None = None
) -> int:
    """The whole draft at once, as one undoable edit. Returns the new revision.

    `base`: the revision that the caller knows; another one by now raises Conflict. None = replace whatever is there.
    """
    flow = _read(document)
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if base is not None and base != draft.rev:
            raise Conflict(
                f"This flow is at revision {draft.rev} by now, not {base}.",
                remedy="Read it again, then send your change.",
            )
        flow = msgspec.structs.replace(flow, name=flow.name or draft.flow.name)
        ops = [FlowReplace(flow)]
        try:
            after, inverse = apply(draft.flow, ops)
        except OpRefused as refused:
            raise Refused(refused.why) from None
        return await store.save(tx, actor, draft, after, ops=ops, inverse=inverse, batch=uuid4().hex, client="api")


async def duplicate(actor: Actor, flow_id: UUID) -> UUID:
    """A copy of the draft in the same workspace. Connections stay; versions and runs do not come along."""
    async with tenant_tx(actor.workspace_id):
        row = await FlowDraft.select(FlowDraft.document).where(FlowDraft.id == flow_id).first()
    if row is None:
        raise NotFound(store.GONE)
    flow = store.decode_flow(row["document"])
    return await create_flow(actor, f"{flow.name[:110]}, copy", flow)


async def export_flow(actor: Actor, flow_id: UUID) -> Flow:
    """The draft as a document to give away: without secrets, connections and keys in headers."""
    async with tenant_tx(actor.workspace_id):
        row = await FlowDraft.select(FlowDraft.document).where(FlowDraft.id == flow_id).first()
    if row is None:
        raise NotFound(store.GONE)
    return exported(store.decode_flow(row["document"]), catalogue.load())


async def archive(actor: Actor, flow_id: UUID) -> str:
    """Put a flow away: out of the lists, nothing lost. Returns its name. Sites go on with the live version."""
    return await _archived(actor, flow_id, away=True)


async def unarchive(actor: Actor, flow_id: UUID) -> str:
    return await _archived(actor, flow_id, away=False)


async def _archived(actor: Actor, flow_id: UUID, *, away: bool) -> str:
    async with tenant_tx(actor.workspace_id) as tx:
        name: str | None = await tx.fetchval(
            "update flow set archived_at = $2 where id = $1 returning name", flow_id, clock.now() if away else None
        )
        if name is None:
            raise NotFound(store.GONE)
        kind = "flow.archived" if away else "flow.unarchived"
        await events.publish(tx, actor.workspace_id, "workspace", kind, {"flow": str(flow_id)})
    return name


def _read(document: Flow | dict[str, Any] | None) -> Flow:
    if document is None:
        return Flow()
    if isinstance(document, Flow):
        return document
    try:
        return load_flow(document)
    except BadDocument as bad:
        raise Refused(str(bad), field="document") from None


def _whole(flow: Flow) -> None:
    try:
        check_whole(flow)
    except OpRefused as refused:
        raise Refused(refused.why, field="document") from None
