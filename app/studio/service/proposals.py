"""For domains that propose a change of a draft (drafting, git): the change as operations, taken over as one edit.

Also what such a domain shows beside it: what is different in words and as a picture, and the flows one can begin with.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET

from app.db import tenant_tx
from app.errors import Conflict
from app.studio.changes import Change, changes
from app.studio.difference import Difference
from app.studio.difference import difference as compared
from app.studio.difference_picture import Picture, picture
from app.studio.forms import (
    EdgeAdd,
    EdgeDelete,
    FlowMeta,
    NodeAdd,
    NodeConfig,
    NodeDelete,
    NodeExpose,
    NodeLabel,
    NodeMove,
    NodePolicy,
    NodeReparent,
    NodeResize,
    Op,
)
from app.studio.ops import OpRefused, apply, touches
from app.studio.service import store
from app.studio.service.fragments import exported
from app.studio.starters import Starter, starters
from app.web import Actor
from flows.model import Edge, Flow, NodeUse

_POLICY = ("retry", "on_error", "default", "timeout", "disabled", "keep")


def difference(before: Flow, after: Flow) -> list[Op]:
    """Operations that make `before` to `after`; the order of steps and wires that stay is left as it is.

    A step whose kind changed is another step: removed and added.
    """
    old, new = ({node.id: node for node in flow.nodes} for flow in (before, after))
    kept = {id for id in old if id in new and (old[id].type, old[id].version) == (new[id].type, new[id].version)}
    gone = {id for id in old if id not in kept}
    was, now = ({edge.id: edge for edge in flow.edges} for flow in (before, after))
    lost = [edge for key, edge in was.items() if key not in now or _ends(edge) & gone]
    ops: list[Op] = [EdgeDelete(edge.source, edge.target) for edge in lost]
    adding = [id for id in new if id not in kept]
    ops += [
        NodeDelete(id) for id in old if id in gone and id in new
    ]  # another kind under the same id: away before it comes
    ops += [NodeAdd(new[id]) for id in _outer_first(adding, new)]
    for id in old:
        if id in kept and old[id] != new[id]:
            ops += _changed(old[id], new[id])
    away = {id for id in gone if id not in new}
    ops += [NodeDelete(id) for id in old if id in away and old[id].parent not in away]
    lost_ids = {edge.id for edge in lost}
    ops += [EdgeAdd(edge.source, edge.target) for key, edge in now.items() if key not in was or key in lost_ids]
    about = {
        name: getattr(after, name)
        for name in ("name", "description", "cost_limit")
        if getattr(before, name) != getattr(after, name)
    }
    return [*ops, FlowMeta(**about)] if about else ops


def _ends(edge: Edge) -> set[str]:
    return {edge.source.partition(".")[0], edge.target.partition(".")[0]}


def _outer_first(ids: Iterable[str], nodes: dict[str, NodeUse]) -> list[str]:
    """A container before what lies in it."""
    found: list[str] = []
    todo = list(ids)
    while todo:
        ready = [id for id in todo if nodes[id].parent not in todo] or todo
        found += ready
        todo = [id for id in todo if id not in ready]
    return found


def _changed(old: NodeUse, new: NodeUse) -> list[Op]:
    id, ops = old.id, list[Op]()
    if old.parent != new.parent:
        ops.append(NodeReparent(id, new.parent, new.x, new.y))
    elif (old.x, old.y) != (new.x, new.y):
        ops.append(NodeMove(id, new.x, new.y))
    if (old.w, old.h) != (new.w, new.h):
        ops.append(NodeResize(id, new.w, new.h))
    for field in sorted({*old.settings, *new.settings}):
        value = new.settings.get(field, UNSET)
        if old.settings.get(field, UNSET) != value or field not in old.settings:
            ops.append(NodeConfig(id, field, value))
    if old.label != new.label:
        ops.append(NodeLabel(id, new.label))
    policy: dict[str, Any] = {each: getattr(new, each) for each in _POLICY if getattr(old, each) != getattr(new, each)}
    if policy:
        ops.append(NodePolicy(id, **policy))
    ops += [
        NodeExpose(id, field, new.exposed.get(field))
        for field in sorted({*old.exposed, *new.exposed})
        if old.exposed.get(field) != new.exposed.get(field)
    ]
    return ops


async def take_over(actor: Actor, flow_id: UUID, ops: Sequence[Op], base: int, batch: str, client: str) -> int:
    """Do a proposed change as one edit that this person can undo. Returns the new revision.

    `base`: the revision it was made for. What others did since stays; where both changed the same step the proposal is
    refused (Conflict) and nothing happens. The same `batch` again does nothing. Raises NotFound.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if await tx.fetchval("select 1 from flow_op where flow_id = $1 and batch = $2", flow_id, batch):
            return draft.rev
        since = await store.since(tx, flow_id, base) if base < draft.rev else []
        theirs = {
            key for each in since for op in each.ops if not isinstance(op, NodeMove | NodeResize) for key in _of(op)
        }
        if "*" in theirs or theirs & {key for op in ops for key in _of(op)}:
            who = next((each.name for each in reversed(since) if each.name), "Somebody")
            raise Conflict(
                f"{who} changed the same steps since this was made.",
                remedy="Make a new one from the flow as it is now.",
            )
        try:
            after, inverse = apply(draft.flow, ops)
        except OpRefused as refused:
            raise Conflict(refused.why, remedy="Make a new one from the flow as it is now.") from None
        return await store.save(tx, actor, draft, after, ops=ops, inverse=inverse, batch=batch, client=client)


def _of(op: Op) -> set[str]:
    """The steps an operation is about."""
    return {id for key in touches(op) for end in key.split(">") for id in (end.partition(".")[0],)}


__all__ = [
    "Change",
    "Difference",
    "Op",
    "Picture",
    "Starter",
    "changes",
    "compared",
    "difference",
    "exported",
    "picture",
    "starters",
    "take_over",
]
