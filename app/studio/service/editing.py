"""Edits of a draft: apply, undo, redo, paste. The law of conflicts is in docs/adr/0010-flow-edits.md."""

from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET, Struct

from app.db import Tx, tenant_tx
from app.errors import Conflict, Refused
from app.studio.forms import NodeAdd, NodeConfig, NodeDelete, NodeLabel, NodePolicy, NoteText, Op, OpsForm, PasteForm
from app.studio.ops import OpRefused, Workbench, touches
from app.studio.ports import field_title
from app.studio.service import store
from app.studio.service.fragments import landed
from app.studio.service.store import Batch, Draft
from app.studio.wiring import Dropped, edit
from app.web import Actor
from flows import catalogue
from flows.model import Flow, NodeUse

MOST_SINCE = 500
"""Edits an editor may be behind before it is told to fetch the whole document."""

NOTHING = {"undo": "Nothing to undo.", "redo": "Nothing to redo."}


class Clash(Struct, frozen=True):
    """Somebody else (`by`) wrote the same text since. `theirs` stands there now; `title`: its name."""

    id: str
    field: str
    theirs: str
    by: str = ""
    title: str = ""


class Over(Struct, frozen=True):
    """A value that this batch wrote over somebody else's of the meantime. `back`: the operation that takes theirs."""

    id: str
    title: str
    by: str
    theirs: str
    back: Op


class EditConflict(Conflict):
    """Two different edits of one text: never merged silently. `rev` and `since` bring the editor up to date."""

    def __init__(self, clash: Clash, rev: int, since: list[Batch]) -> None:
        super().__init__(
            f"{clash.by or 'Somebody'} changed “{clash.title}” of this step while you did.",
            remedy="Choose which text stays.",
        )
        self.clash, self.rev, self.since = clash, rev, since


class Answer(Struct):
    """What an edit came to. `touched`: steps whose rendering changed. `resync`: fetch the document anew.

    `base`: the revision the editor had before; -1 when it is not known.
    """

    rev: int
    flow: Flow
    live_version_id: UUID | None
    since: list[Batch]
    extra: list[Op]
    dropped: list[Dropped]
    touched: set[str]
    undo: bool
    redo: bool
    resync: bool = False
    said: str = ""
    over: list[Over] = []
    base: int = -1


async def apply_ops(actor: Actor, flow_id: UUID, form: OpsForm) -> Answer:
    """Apply a batch on top of whatever the draft is by now.

    Sending a batch twice is harmless: the second time nothing happens and the answer is the same.
    Last writer wins field by field; deleting beats editing; of two different texts the later one is refused.
    Raises NotFound, EditConflict (409), Refused (422) with the reason and nothing done.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        missed = await store.since(tx, flow_id, form.base) if form.base < draft.rev else []
        if (known := await _sent_before(tx, flow_id, form)) is not None:
            return await answer(tx, actor, draft, draft.flow, draft.rev, missed, extra=known, form=form)
        others = [batch for batch in missed if batch.client != form.client]
        if clash := _clash(draft.flow, form.ops, others):
            raise EditConflict(clash, draft.rev, others)
        try:
            done = edit(draft.flow, form.ops, catalogue.load())
        except OpRefused as refused:
            raise Refused(refused.why, code="op_refused") from None
        rev = draft.rev
        if done.done:
            typed = await _typed_on(tx, actor, draft, form.client, done.done)
            rev = await store.save(
                tx,
                actor,
                draft,
                done.flow,
                ops=done.done,
                inverse=typed.inverse if typed else done.inverse,
                batch=form.batch,
                client=form.client,
                kind="redo" if typed else "edit",
                undoes=typed.id if typed else None,
            )
        told = await answer(tx, actor, draft, done.flow, rev, missed, extra=done.extra, dropped=done.dropped, form=form)
        told.over = overwritten(draft.flow, form.ops, others)
        return told


async def undo(actor: Actor, flow_id: UUID, client: str) -> Answer:
    """Take back this person's last edit that still stands. What others changed since is left as they made it."""
    return await _step(actor, flow_id, client, "undo")


async def redo(actor: Actor, flow_id: UUID, client: str) -> Answer:
    """Do this person's last undone edit again. A new edit forgets what could be redone."""
    return await _step(actor, flow_id, client, "redo")


async def paste(actor: Actor, flow_id: UUID, form: PasteForm) -> Answer:
    """Put a fragment into the draft: ids new, references in texts and wires changed with them, one undoable edit."""
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if (again := await repeated(tx, actor, draft, form.batch)) is not None:
            return again
        missed = await store.since(tx, flow_id, form.base) if form.base < draft.rev else []
        ops, left_out = landed(form, {node.id for node in draft.flow.nodes}, catalogue.load())
        try:
            done = edit(draft.flow, ops, catalogue.load())
        except OpRefused as refused:
            raise Refused(refused.why, code="op_refused") from None
        rev = await store.save(
            tx, actor, draft, done.flow, ops=done.done, inverse=done.inverse, batch=form.batch, client=form.client
        )
        said = "Secrets and connections do not travel: choose them for the pasted steps." if left_out else ""
        return await answer(tx, actor, draft, done.flow, rev, missed, extra=done.done, dropped=done.dropped, said=said)


async def _step(actor: Actor, flow_id: UUID, client: str, which: Literal["undo", "redo"]) -> Answer:
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        row = await store.latest(tx, flow_id, actor.user_id, which)
        if row is None:
            return await answer(tx, actor, draft, draft.flow, draft.rev, [], said=NOTHING[which])
        later = await store.since(tx, flow_id, row["rev"])
        theirs = [op for batch in later if batch.by != actor.user_id for op in batch.ops]
        wanted = store.decode_ops(row["inverse"])
        bench, done, inverse, skipped = Workbench(draft.flow), [], [], 0
        for op in wanted:
            if any(_meet(op, other) for other in theirs):
                skipped += 1
                continue
            try:
                inverse.append(bench.apply(op))
                done.append(op)
            except OpRefused:
                skipped += 1
        flow = bench.flow()
        rev = await store.save(
            tx,
            actor,
            draft,
            flow,
            ops=done,
            inverse=[back for each in reversed(inverse) for back in each],
            batch=uuid4().hex,
            client=client or "server",
            kind=which,
            undoes=row["id"],
        )
        said = "Undone." if which == "undo" else "Done again."
        if skipped:
            said += f" {skipped} of {len(wanted)} changes stayed: somebody else edited them since."
        return await answer(tx, actor, draft, flow, rev, [], extra=done, said=said)


async def answer(
    tx: Tx,
    actor: Actor,
    draft: Draft,
    flow: Flow,
    rev: int,
    missed: list[Batch],
    *,
    extra: list[Op] | None = None,
    dropped: list[Dropped] | None = None,
    form: OpsForm | None = None,
    said: str = "",
) -> Answer:
    """The end of every verb that edits. `extra`: what the editor does not know yet; `form`: what it sent itself."""
    can_undo, can_redo = await store.can_step(tx, draft.id, actor.user_id)
    mine = form.client if form is not None else ""
    others = [batch for batch in missed if not mine or batch.client != mine]
    ops = [*(form.ops if form else ()), *(extra or ()), *(op for batch in others for op in batch.ops)]
    return Answer(
        rev=rev,
        flow=flow,
        live_version_id=draft.live_version_id,
        since=others,
        extra=extra or [],
        dropped=dropped or [],
        touched=redrawn(ops),
        undo=can_undo,
        redo=can_redo,
        resync=len(missed) > MOST_SINCE,
        said=said,
        base=form.base if form is not None else -1,
    )


async def repeated(tx: Tx, actor: Actor, draft: Draft, batch: str) -> Answer | None:
    """A repeated request does nothing twice: the editor is told to fetch the document instead."""
    if not await tx.fetchval("select 1 from flow_op where flow_id = $1 and batch = $2", draft.id, batch):
        return None
    return msgspec.structs.replace(await answer(tx, actor, draft, draft.flow, draft.rev, []), resync=True)


async def _typed_on(tx: Tx, actor: Actor, draft: Draft, client: str, done: list[Op]) -> store.Typed | None:
    """Every letter is saved; undo takes back what was typed in one go."""
    if len(done) != 1 or not isinstance(done[0], NodeConfig | NoteText | NodeLabel):
        return None
    return await store.typed_before(tx, actor, draft, client, done[0])


async def _sent_before(tx: Tx, flow_id: UUID, form: OpsForm) -> list[Op] | None:
    """The operations we added when this batch came the first time; None when it is new."""
    stored = await tx.fetchval("select ops from flow_op where flow_id = $1 and batch = $2", flow_id, form.batch)
    if stored is None:
        return None
    sent = {op.id for op in form.ops if isinstance(op, NodeDelete)}
    plain = [NodeDelete(op.id) if isinstance(op, NodeDelete) else op for op in form.ops]
    return [op for op in store.decode_ops(stored) if op not in plain and getattr(op, "id", None) not in sent]


def redrawn(ops: Sequence[Op]) -> set[str]:
    """Steps whose card the server draws anew after these operations; the others only moved or were wired."""
    ids: set[str] = set()
    for op in ops:
        if isinstance(op, NodeAdd):
            ids.add(op.node.id)
        elif isinstance(op, NodeConfig | NodeLabel | NodePolicy | NoteText):
            ids.add(op.id)
    return ids


def _meet(mine: Op, theirs: Op) -> bool:
    """Whether both write the same field, or one deletes (or makes) what the other edits."""
    a, b = touches(mine), touches(theirs)
    if a & b or "*" in a or "*" in b:
        return True
    if isinstance(theirs, NodeDelete | NodeAdd):
        id = theirs.id if isinstance(theirs, NodeDelete) else theirs.node.id
        return any(key.partition(".")[0] == id for key in a)
    return False


def _clash(flow: Flow, ops: Sequence[Op], others: list[Batch]) -> Clash | None:
    """The first text that both this batch and somebody else's wrote, with different results."""
    for op, by, node in _met(flow, ops, others):
        if not isinstance(op, NodeConfig | NoteText):
            continue
        field = op.field if isinstance(op, NodeConfig) else "text"
        mine = op.value if isinstance(op, NodeConfig) else op.text
        theirs = node.settings.get(field, "")
        if isinstance(mine, str) and isinstance(theirs, str) and mine != theirs:
            return Clash(op.id, field, theirs, by, _title(node, field))
    return None


def overwritten(flow: Flow, ops: Sequence[Op], others: list[Batch]) -> list[Over]:
    """Values (no texts: those are a Clash) that somebody else set since and this batch set otherwise.

    The last writer wins, and is told. What a group holds is left out: it changes with every drag.
    """
    found = []
    for op, by, node in _met(flow, ops, others):
        if isinstance(op, NodeConfig) and op.field != "members":
            theirs = node.settings.get(op.field, UNSET)
            if theirs != op.value:
                words = "the default" if theirs is UNSET else _words(theirs)
                found.append(Over(op.id, _title(node, op.field), by, words, NodeConfig(op.id, op.field, theirs)))
        elif isinstance(op, NodeLabel) and op.label != node.label:
            found.append(Over(op.id, "Name", by, node.label or "the default", NodeLabel(op.id, node.label)))
    return found


def _met(flow: Flow, ops: Sequence[Op], others: list[Batch]) -> Iterator[tuple[Op, str, NodeUse]]:
    """Operations that write what somebody else wrote since: with that person's name, and the step as they left it."""
    if not others:
        return
    written = {key: batch.name for batch in others for op in batch.ops for key in touches(op)}
    nodes = {node.id: node for node in flow.nodes}
    for op in ops:
        key = next((key for key in touches(op) if key in written), None)
        node = nodes.get(getattr(op, "id", ""))
        if key is not None and node is not None:
            yield op, written[key], node


def _title(node: NodeUse, field: str) -> str:
    return field_title(catalogue.load().get(node.type), field)


def _words(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:59]}…"
