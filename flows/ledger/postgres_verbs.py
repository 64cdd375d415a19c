# ruff: noqa: E501 -- SQL keeps its own shape
"""What others do to a run: start it, signal it, ask for its end, decide a doubt. Each takes a connection inside a transaction.

The host decides under which role: row security holds for these statements as for all others. After the commit the caller
nudges the lane that is returned; a lost nudge costs two seconds at most.
"""

from typing import Any, Literal, cast

from msgspec import Struct

from flows.ledger.protocol import meant_for
from flows.transport.protocol import Lane

START = """
with made as (
    insert into run (workspace_id, flow_id, version_id, status, lane, priority, trigger, trigger_id, started_by, visitor, draft,
                     idempotency_key, deadline_at, input, next_event_seq, afresh, line, variables_id)
    values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, nullif($11, ''),
            clock_timestamp() + $12::float8 * interval '1 second', $13::json, 2, $14, $15, $16)
    on conflict (workspace_id, flow_id, idempotency_key) where idempotency_key is not null do nothing
    returning id, workspace_id
), told as (
    insert into run_event (run_id, seq, workspace_id, type, payload)
    select id, 1, workspace_id, 'run.queued', json_build_object('type', 'run.queued', 'run', id) from made
)
select id from made
"""

SAME_KEY = "select id, version_id, input::text = $4 as same from run where workspace_id = $1 and flow_id = $2 and idempotency_key = $3"

FULL = """
select exists (select from run where status = 'queued' and lane = $2 and workspace_id = $1
               offset (select coalesce((select queued from run_quota where workspace_id = $1), 10000)))
"""

SIGNAL = """
insert into run_signal (workspace_id, run_id, name, data, sent_by, sender, dedupe_key, step)
select workspace_id, id, $2, $3::json, $4, $5, nullif($6, ''), $7 from run where id = $1::uuid
on conflict (run_id, name, dedupe_key) where dedupe_key is not null do nothing
returning id
"""

WAKE = """
update run set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
 where id = $1::uuid and status = 'waiting' and $2 = any (awaits) returning lane
"""

CANCEL = """
update run set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
 where id = $1::uuid and status in ('queued', 'running', 'waiting', 'in_doubt', 'dead')
returning status
"""

UNDOABLE = """
select exists (select from node_exec n where n.run_id = $1::uuid and n.effect_class = 'undo' and not n.handled
                  and n.status in ('succeeded', 'started'))
"""
"""A run that reached an Undo step (docs/flow-semantics.md, 80 to 86): the engine has to undo before it ends."""

WAKE_TO_UNDO = """
update run set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
 where id = $1::uuid and status = 'waiting'
"""

CANCEL_IDLE = """
with ended as (
    update run set status = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp(), wake_at = null,
           next_event_seq = next_event_seq + 1
     where id = $1::uuid and status in ('queued', 'waiting', 'in_doubt', 'dead')
    returning id, workspace_id, epoch, next_event_seq - 1 as seq
)
insert into run_event (run_id, seq, workspace_id, type, payload, epoch)
select id, seq, workspace_id, 'run.cancelled', json_build_object('type', 'run.cancelled', 'run', id), epoch from ended
"""

CANCEL_STEPS = """
update node_exec set status = 'cancelled', finished_at = clock_timestamp()
 where run_id = $1::uuid and status in ('waiting', 'backoff')
"""

DECIDE = """
update node_exec set status = $4, output = $5::json, next_at = clock_timestamp(), error = null,
       finished_at = case when $4 = 'succeeded' then clock_timestamp() end
 where run_id = $1::uuid and node_id = $2 and iter_path = $3 and status = 'in_doubt'
returning attempt
"""

OPEN_DOUBTS = "select count(*) from node_exec where run_id = $1::uuid and status = 'in_doubt'"

AGAIN = """
with woken as (
    update run set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null, error = null,
           finished_at = null, crash_count = 0, idle_crashes = 0,
           lane = case when lane = 'quarantine' then 'normal' else lane end,
           next_event_seq = next_event_seq + 1
     where id = $1::uuid and status in ('in_doubt', 'dead')
    returning id, workspace_id, epoch, lane, next_event_seq - 1 as seq
), told as (
    insert into run_event (run_id, seq, workspace_id, type, payload, epoch)
    select id, seq, workspace_id, 'run.queued', json_build_object('type', 'run.queued', 'run', id, 'by', $2::text), epoch from woken
)
select lane from woken
"""


class NewRun(Struct, frozen=True):
    """`input`: JSON text. `deadline`: seconds from now, None = none. `idempotency_key`: "" = every start is a new run.

    `line`: where it queues (flows/ledger/postgres_lines.py), "" for a flow without limits. `variables_id`: the
    set of variables it reads, None = it reads none.
    """

    workspace_id: Any
    flow_id: Any
    version_id: Any
    input: str
    trigger: str
    lane: Lane = "normal"
    priority: int = 0
    trigger_id: Any = None
    started_by: Any = None
    visitor: str = ""
    draft: bool = False
    idempotency_key: str = ""
    deadline: float | None = None
    afresh: bool = False
    line: str = ""
    variables_id: Any = None


class QueueFull(Exception):
    """The workspace has as many runs waiting as it may."""


class OtherRequest(Exception):
    """The idempotency key was used before, with another input."""


class Started(Struct, frozen=True):
    id: Any
    new: bool


async def start_run(tx: Any, run: NewRun) -> Started:
    """Store a queued run; its commit is the promise to run it. The same idempotency key gives the run it gave before.

    Raises QueueFull, and OtherRequest when the key was used with another input.
    """
    if await tx.fetchval(FULL, run.workspace_id, run.lane):
        raise QueueFull
    made = await tx.fetchval(
        START, run.workspace_id, run.flow_id, run.version_id, run.lane, run.priority, run.trigger, run.trigger_id,
        run.started_by, run.visitor, run.draft, run.idempotency_key, run.deadline, run.input,
        run.afresh, run.line, run.variables_id,
    )  # fmt: skip
    if made is not None:
        return Started(made, True)
    before = await tx.fetchrow(SAME_KEY, run.workspace_id, run.flow_id, run.idempotency_key, run.input)
    if not before["same"]:
        raise OtherRequest
    return Started(before["id"], False)


async def signal_run(
    tx: Any,
    run_id: Any,
    name: str,
    data: str,
    *,
    by: Any = None,
    sender: str = "",
    dedupe_key: str = "",
    step: str = "",
) -> Lane | None:
    """Store a signal, then wake the run if it waits for it. `data`: JSON text. A signal may come before its wait begins.

    `step`: "node" or "node:round" when it is meant for one step only.

    The run's row is locked first, so that a run going to sleep at this moment either sees the signal or is woken by it.
    Returns the lane to nudge, None when nothing has to be done now. Raises LookupError when there is no such live run.
    """
    status = await tx.fetchval("select status from run where id = $1::uuid for update", run_id)
    if status not in ("queued", "running", "waiting"):
        raise LookupError(status or "")
    if await tx.fetchval(SIGNAL, run_id, name, data, by, sender, dedupe_key, step) is None:
        return None
    return cast("Lane | None", await tx.fetchval(WAKE, run_id, meant_for(name, step)))


async def cancel_run(tx: Any, run_id: Any) -> Literal["cancelled", "asked", "over"]:
    """End a run. One that no worker holds ends at once; a running one at its next step border, or after 15 s.

    A run with something to undo is woken for that, and ends when it is undone.
    """
    status = await tx.fetchval(CANCEL, run_id)
    if status is None:
        return "over"
    if status == "running":
        return "asked"
    if status in ("queued", "waiting") and await tx.fetchval(UNDOABLE, run_id):
        await tx.execute(WAKE_TO_UNDO, run_id)
        return "asked"
    await tx.execute(CANCEL_IDLE, run_id)
    await tx.execute(CANCEL_STEPS, run_id)
    return "cancelled"


async def decide_step(
    tx: Any, run_id: Any, node: str, iter: str, *, happened: bool, output: str | None, by: str
) -> Lane | None:
    """Settle a doubt: it happened (with this output, JSON text), or it did not (so it is tried again).

    Returns the lane to nudge when that was the last doubt of the run. Raises LookupError when the step is not in doubt.
    """
    await tx.execute("select from run where id = $1::uuid for update", run_id)
    status = "succeeded" if happened else "backoff"
    if await tx.fetchval(DECIDE, run_id, node, iter, status, output if happened else None) is None:
        raise LookupError(node)
    if await tx.fetchval(OPEN_DOUBTS, run_id):
        return None
    return await run_again(tx, run_id, by)


async def run_again(tx: Any, run_id: Any, by: str) -> Lane | None:
    """Queue a run that is in doubt or dead once more; its steps that ended stay as they are."""
    return cast("Lane | None", await tx.fetchval(AGAIN, run_id, by))
