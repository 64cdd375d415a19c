# ruff: noqa: E501 -- SQL keeps its own shape
"""The sweeper: what must happen when nobody acts. Runs in every worker; a lock lets one at a time do it.

All times are compared inside PostgreSQL. The lock belongs to the transaction: a session's lock would leak through pools.
"""

import asyncpg
from msgspec import Struct

from flows.transport.protocol import Lane

LOCK = 0x53574545  # "SWEE"

ISOLATE_AFTER = 3
"""Crashes a run was present at, after which it runs in quarantine, alone in its process."""
DEAD_AFTER = 5
"""Crashes after which it is not tried any more: a person looks at it."""

LOST = """
with lost as (
    select r.id, r.crash_count + 1 as crashes, w.dead_after, r.owner_worker,
           exists (select from node_exec n where n.run_id = r.id and n.status = 'started'
                      and n.effect_class in ('at_most_once', 'probe')) as unsure
      from run r left join worker w on w.id = r.owner_worker
     where r.status = 'running'
       and (w.id is null
            or clock_timestamp() - greatest(w.heartbeat_at, pg_postmaster_start_time()) > w.dead_after
            or w.stopped_at is not null and clock_timestamp() - w.stopped_at > interval '2 seconds')
     order by r.id limit 500 for update of r skip locked
)
update run r set
    epoch = r.epoch + 1,
    crash_count = lost.crashes,
    owner_worker = null,
    status = case when lost.crashes >= $1 then 'dead' when lost.unsure then 'waiting' else 'queued' end,
    lane = case when lost.crashes >= $2 then 'quarantine' else r.lane end,
    wake_at = case when lost.unsure and lost.crashes < $1 then clock_timestamp() + lost.dead_after end,
    queued_at = clock_timestamp(),
    dispatched_at = null,
    finished_at = case when lost.crashes >= $1 then clock_timestamp() end,
    error = case when lost.crashes >= $1 then json_build_object(
        'message', 'The worker died ' || lost.crashes || ' times while it ran this. It will not be tried again by itself.',
        'kind', 'crashes') else r.error end
from lost where r.id = lost.id
returning r.id, r.workspace_id, r.status, r.lane, r.crash_count, lost.owner_worker
"""
"""The epoch grows here already, so that a worker that only slept is fenced off before somebody else claims the run.

A run with a step whose outcome is unknown and must not be repeated sleeps for one more lease: the outcome may still come
(late-outcome rule). After that its next owner puts the step in doubt. A restart of the database is not held against workers.
"""

DUE = """
with due as (
    select id from run where status = 'waiting' and wake_at <= clock_timestamp() order by wake_at limit 2000
    for update skip locked
)
update run r set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
  from due where r.id = due.id returning r.lane
"""

LATE_RUNS = """
with late as (
    select id from run
     where status in ('queued', 'waiting') and deadline_at <= clock_timestamp() order by deadline_at limit 500
    for update skip locked
)
update run r set status = 'failed', epoch = r.epoch + 1, finished_at = clock_timestamp(), wake_at = null,
       error = json_build_object('message', 'The run did not end in the time it was given.', 'kind', 'deadline')
  from late where r.id = late.id returning r.id, r.workspace_id, r.status
"""

STUBBORN = """
with stubborn as (
    select id from run
     where status = 'running'
       and (cancel_requested_at <= clock_timestamp() - $1 * interval '1 second'
            or deadline_at <= clock_timestamp() - $1 * interval '1 second')
     limit 500 for update skip locked
)
update run r set epoch = r.epoch + 1, owner_worker = null, finished_at = clock_timestamp(), wake_at = null,
       status = case when r.cancel_requested_at is not null then 'cancelled' else 'failed' end,
       error = case when r.cancel_requested_at is not null then r.error else
           json_build_object('message', 'The run did not end in the time it was given.', 'kind', 'deadline') end
  from stubborn where r.id = stubborn.id returning r.id, r.workspace_id, r.status
"""

ENDED_STEPS = """
update node_exec set status = 'cancelled', finished_at = clock_timestamp()
 where run_id = any ($1::uuid[]) and status in ('waiting', 'backoff')
"""

UNDISPATCHED = """
update run set dispatched_at = clock_timestamp(), dispatch_seq = dispatch_seq + 1
 where id in (
    select id from run where status = 'queued' and (dispatched_at is null or dispatched_at < clock_timestamp() - $1 * interval '1 second')
     order by queued_at limit 200 for update skip locked)
returning lane
"""

GONE_WORKERS = """
delete from worker w where w.heartbeat_at < clock_timestamp() - interval '1 day'
   and not exists (select from run r where r.status = 'running' and r.owner_worker = w.id)
"""

EVENT = """
with numbered as (
    update run r set next_event_seq = r.next_event_seq + 1
      from unnest($1::uuid[], $2::text[], $3::text[]) as e (run_id, type, payload)
     where r.id = e.run_id
    returning r.id, r.workspace_id, r.epoch, r.next_event_seq - 1 as seq, e.type, e.payload
)
insert into run_event (run_id, seq, workspace_id, type, payload, epoch)
select id, seq, workspace_id, type, payload::json, epoch from numbered
"""


class Swept(Struct, frozen=True):
    """What one pass did. `lanes`: those that have work now and deserve a nudge. `ended`: (workspace, run, status)."""

    lost: int = 0
    due: int = 0
    ended: tuple[tuple[str, str, str], ...] = ()
    lanes: tuple[Lane, ...] = ()


async def sweep(
    pool: "asyncpg.Pool[asyncpg.Record]", *, cancel_grace: float = 15.0, renudge: float = 15.0
) -> Swept | None:
    """One pass in one transaction. None: somebody else is sweeping."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
            return None
        lost = await connection.fetch(LOST, DEAD_AFTER, ISOLATE_AFTER)
        due = await connection.fetch(DUE)
        ended = [*await connection.fetch(STUBBORN, cancel_grace), *await connection.fetch(LATE_RUNS)]
        if ended:
            await connection.execute(ENDED_STEPS, [row["id"] for row in ended])
        events = [_event(row["id"], row["status"]) for row in (*lost, *ended)]
        if events:
            await connection.execute(EVENT, *(list(column) for column in zip(*events, strict=True)))
        undispatched = await connection.fetch(UNDISPATCHED, renudge)
        await connection.execute(GONE_WORKERS)
    dead = [row for row in lost if row["status"] == "dead"]
    return Swept(
        lost=len(lost),
        due=len(due),
        ended=tuple((str(row["workspace_id"]), str(row["id"]), row["status"]) for row in (*ended, *dead)),
        lanes=tuple(sorted({row["lane"] for row in undispatched})),
    )


def _event(run: object, status: str) -> tuple[object, str, str]:
    type_ = {"queued": "run.lost", "waiting": "run.lost"}.get(status, f"run.{status}")
    return run, type_, f'{{"type": "{type_}", "run": "{run}"}}'
