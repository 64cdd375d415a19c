"""The draft in the database: read it locked, write it with the edit that made it. Used by this folder only."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app import events
from app.db import Tx
from app.errors import NotFound
from app.studio.forms import Op
from app.studio.ops import touches
from app.studio.tables import FlowDraft, FlowOp
from app.web import Actor
from flows.model import Flow

decode_ops = msgspec.json.Decoder(list[Op]).decode
decode_flow = msgspec.json.Decoder(Flow).decode

GONE = "This flow does not exist, or you have no access to it."


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class Draft(Struct):
    """A flow's row, its document decoded."""

    id: UUID
    rev: int
    flow: Flow
    live_version_id: UUID | None


async def locked(flow_id: UUID) -> Draft:
    """The draft; edits of one flow wait for each other from here to the end of the transaction.

    The lock lets rows that name the flow (foreign keys) be written meanwhile: whoever writes one in a transaction that
    has told an event already would else wait for us, and we for its events.
    """
    row = (
        await FlowDraft.select(FlowDraft.id, FlowDraft.rev, FlowDraft.document, FlowDraft.live_version_id)
        .where(FlowDraft.id == flow_id)
        .lock_rows("NO KEY UPDATE")
        .first()
    )
    if row is None:
        raise NotFound(GONE)
    return Draft(row["id"], row["rev"], decode_flow(row["document"]), row["live_version_id"])


async def save(
    tx: Tx,
    actor: Actor,
    draft: Draft,
    flow: Flow,
    *,
    ops: Sequence[Op],
    inverse: Sequence[Op],
    batch: str,
    client: str,
    kind: Literal["edit", "undo", "redo"] = "edit",
    undoes: UUID | None = None,
) -> int:
    """Write the document and the edit, tell whoever has the flow open. Returns the new revision.

    `undoes`: the edit this one takes back; with kind "redo" the one it takes the place of (typing: `typed_before`).
    """
    rev = draft.rev + 1
    await FlowOp.insert(
        FlowOp(
            workspace_id=actor.workspace_id,
            flow_id=draft.id,
            rev=rev,
            batch=batch,
            client=client,
            user_id=actor.user_id,
            kind=kind,
            undoes=undoes,
            ops=to_json(ops),
            inverse=to_json(inverse),
        )
    )
    await tx.execute(
        "update flow set document = $2, rev = $3, name = $4, description = $5, step_count = $6, updated_at = now() "
        "where id = $1",
        draft.id,
        to_json(flow),
        rev,
        flow.name,
        flow.description,
        len(flow.nodes),
    )
    told = {"flow": str(draft.id), "rev": rev, "client": client, "by": actor.name}
    await events.publish(tx, actor.workspace_id, f"flow:{draft.id}", "flow.ops", told)
    return rev


TYPING = 2.0
"""Seconds between two edits of one text that still are one edit for undo."""


class Typed(Struct, frozen=True):
    """The edit that typing goes on from. `inverse`: what takes all of it back."""

    id: UUID
    inverse: list[Op]


async def typed_before(tx: Tx, actor: Actor, draft: Draft, client: str, op: Op) -> Typed | None:
    """The newest edit of the flow, when it is this tab's, a moment old, and wrote the same one text. 1 statement."""
    row = await tx.fetchrow(
        "select o.id, o.ops, o.inverse from flow_op o left join flow_op before on before.id = o.undoes "
        "where o.flow_id = $1 and o.rev = $2 and o.user_id = $3 and o.client = $4 "
        "and o.at > now() - make_interval(secs => $5) "
        "and (o.kind = 'edit' or (o.kind = 'redo' and before.kind <> 'undo'))",
        draft.id,
        draft.rev,
        actor.user_id,
        client,
        TYPING,
    )
    if row is None:
        return None
    ops = decode_ops(row["ops"])
    same = len(ops) == 1 and type(ops[0]) is type(op) and touches(ops[0]) == touches(op)
    return Typed(row["id"], decode_ops(row["inverse"])) if same else None


async def can_step(tx: Tx, flow_id: UUID, user_id: UUID) -> tuple[bool, bool]:
    """Whether this person has something to undo, and something to redo."""
    row = await tx.fetchrow(
        f"select exists({_UNDOABLE}) as undo, exists({_REDOABLE}) as redo",
        flow_id,
        user_id,
    )
    return row["undo"], row["redo"]


_UNDOABLE = """
    select o.id from flow_op o where o.flow_id = $1 and o.user_id = $2 and o.kind in ('edit', 'redo')
    and not exists (select from flow_op u where u.undoes = o.id)"""
_REDOABLE = """
    select o.id from flow_op o where o.flow_id = $1 and o.user_id = $2 and o.kind = 'undo'
    and not exists (select from flow_op u where u.undoes = o.id)
    and not exists (
        select from flow_op e where e.flow_id = $1 and e.user_id = $2 and e.kind = 'edit' and e.rev > o.rev)"""


async def latest(tx: Tx, flow_id: UUID, user_id: UUID, which: Literal["undo", "redo"]) -> Any:
    """The edit (rev, id, inverse) that this step takes back, or None."""
    chosen = _UNDOABLE if which == "undo" else _REDOABLE
    return await tx.fetchrow(
        f"select id, rev, inverse from flow_op where id in ({chosen}) order by rev desc limit 1",  # noqa: S608
        flow_id,
        user_id,
    )


class Batch(Struct, frozen=True):
    """One edit as others see it. `name`: what the person who made it is called."""

    rev: int
    client: str
    by: UUID | None
    ops: list[Op]
    name: str = ""


async def since(tx: Tx, flow_id: UUID, rev: int) -> list[Batch]:
    rows = await tx.fetch(
        "select o.rev, o.client, o.user_id, o.ops, coalesce(nullif(u.name, ''), u.email, '') as name "
        "from flow_op o left join user_account u on u.id = o.user_id "
        "where o.flow_id = $1 and o.rev > $2 order by o.rev",
        flow_id,
        rev,
    )
    return [Batch(row["rev"], row["client"], row["user_id"], decode_ops(row["ops"]), row["name"]) for row in rows]
