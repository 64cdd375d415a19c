"""Flows as wholes: make, replace, copy, put away and bring back."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from app import clock, events
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.runs import service as runs
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


class Shelved(Struct, frozen=True):
    """`live`: it was live and is not any more, or is live again."""

    name: str
    live: bool


async def archive(actor: Actor, flow_id: UUID) -> Shelved:
    """Put a flow away: out of the lists, and nothing starts it any more. Nothing is lost; runs under way go on."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await _shelved(tx, actor, flow_id, away=True)
        live = await runs.take_down(tx, flow_id)
    return Shelved(row["name"], live)


async def unarchive(actor: Actor, flow_id: UUID) -> Shelved:
    """Back as it was: what was live when it was put away is live again, under the same addresses."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await _shelved(tx, actor, flow_id, away=False)
        version = row["live_version_id"]
        if version is not None:
            await runs.bring_back(tx, actor.workspace_id, flow_id, version)
    return Shelved(row["name"], version is not None)


async def _shelved(tx: Tx, actor: Actor, flow_id: UUID, *, away: bool) -> Any:
    row = await tx.fetchrow(
        "update flow set archived_at = $2 where id = $1 returning name, live_version_id",
        flow_id,
        clock.now() if away else None,
    )
    if row is None:
        raise NotFound(store.GONE)
    kind = "flow.archived" if away else "flow.unarchived"
    await events.publish(tx, actor.workspace_id, "workspace", kind, {"flow": str(flow_id)})
    return row


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
