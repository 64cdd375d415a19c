# ruff: noqa: E501 -- SQL keeps its own shape
"""The sweeper: what must happen when nobody acts. Runs in every worker; a lock lets one at a time do it.

All times are compared inside PostgreSQL. The lock belongs to the transaction: a session's lock would leak through pools.
"""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from flows.ledger.postgres_pool import borrowed
from flows.ledger.postgres_sql import WAKE_DUE
from flows.transport.protocol import Lane

LOCK = 0x53574545  # "SWEE"
LONGEST = 30.0
"""Seconds one pass may take. A sweeper whose network died holds the lock that long at most."""

ISOLATE_AFTER = 3
"""Crashes of one sort a run was present at without getting on, after which it runs in quarantine, alone in a process."""
DEAD_AFTER = 5
"""Crashes after which it is not tried any more: a person looks at it. The last two it had alone, with a witness."""

TAKE = """
with taken as (
    select r.id, r.crash_count, r.idle_crashes, r.lane <> 'quarantine' or {witnessed} as counts,
           exists (select from node_exec n where n.run_id = r.id and n.status = 'started' and n.epoch = r.epoch) as begun,
           w.dead_after, w.id as worker, w.host, w.pid, r.lane = 'quarantine' as alone,
           exists (select from node_exec n where n.run_id = r.id and n.status = 'started'
                      and n.effect_class in ('at_most_once', 'probe')) and not {witnessed} as unsure,
           r.cancel_requested_at is not null
               and not exists (select from node_exec n where n.run_id = r.id and n.effect_class = 'undo' and not n.handled
                                  and n.status in ('succeeded', 'started')) as unwanted,
           coalesce((select json_agg(case n.iter_path when '' then n.node_id else n.node_id || ':' || n.iter_path end)
                       from (select * from node_exec n where n.run_id = r.id and n.status = 'started' and n.epoch = r.epoch
                              limit 20) n), '[]') as steps
      from run r left join worker w on w.id = r.owner_worker
     where r.status = 'running' and ({which})
     order by r.id limit 500 for update of r skip locked
), counted as (
    select *, crash_count + (counts and begun)::int as at_work, idle_crashes + (counts and not begun)::int as idle
      from taken
), lost as (
    select *, greatest(at_work, idle) as crashes from counted
)
update run r set
    epoch = r.epoch + 1,
    crash_count = case when lost.crashes >= $1 then lost.crashes else lost.at_work end,
    idle_crashes = lost.idle,
    owner_worker = null,
    status = case when lost.unwanted then 'cancelled' when lost.crashes >= $1 then 'dead'
                  when lost.unsure then 'waiting' else 'queued' end,
    lane = case when lost.crashes >= $2 then 'quarantine' else r.lane end,
    wake_at = case when lost.unsure and lost.crashes < $1 and not lost.unwanted then clock_timestamp() + lost.dead_after end,
    queued_at = clock_timestamp(),
    dispatched_at = null,
    finished_at = case when lost.crashes >= $1 or lost.unwanted then clock_timestamp() end,
    error = case when lost.crashes >= $1 and not lost.unwanted then json_build_object(
        'message', 'The worker died ' || lost.crashes || ' times while it ran this, at last with nothing else in the process ({how}'
                   || case lost.steps::text when '[]' then '' else ', at ' || lost.steps::text end
                   || '). It will not be tried again by itself.',
        'kind', 'crashes') else r.error end
from lost where r.id = lost.id
returning r.id, r.workspace_id, r.status, r.lane, lost.crashes, lost.begun, lost.alone, lost.worker, lost.host, lost.pid,
          lost.steps::text as steps
"""
"""The epoch grows here already, so that a worker that only slept is fenced off before somebody else claims the run.

A run with a step whose outcome is unknown and must not be repeated sleeps for one more lease: the outcome may still come
(late-outcome rule). After that its next owner puts the step in doubt. Of a process whose end was witnessed nothing comes.

A crash counts against a run that had a step under way in that process (`begun`: on record under this very claim). Where none
was, the run was hardly the cause, and the crash is counted apart (`idle_crashes`): a run that kills its process in a step
that only computes, or before any step, is isolated and given up all the same.

A run that somebody has cancelled meanwhile ends here, as one ends at once that is cancelled while no worker has it.
"""

LOST = TAKE.format(
    witnessed="false",
    how="its lease ended",
    which="""w.id is null
        or clock_timestamp() - greatest(w.heartbeat_at, pg_postmaster_start_time())
           > case when w.lanes = '{quarantine}' and exists (select from worker p where p.id = w.boot_id and p.stopped_at is null
                                                              and p.heartbeat_at > clock_timestamp() - p.dead_after)
                  then greatest(4 * w.dead_after, interval '45 seconds') else w.dead_after end
        or w.stopped_at is not null and clock_timestamp() - w.stopped_at > interval '2 seconds'""",
)
"""A restart of the database is not held against workers. An isolated process whose parent lives is left to it."""

CRASHED = TAKE.format(witnessed="true", how="' || $4::text || '", which="r.owner_worker = $3")

LATE_RUNS = """
with late as (
    select id from run
     where status in ('queued', 'waiting') and deadline_at <= clock_timestamp()
       and not exists (select from node_exec n where n.run_id = run.id and n.effect_class = 'undo' and not n.handled
                          and n.status in ('succeeded', 'started'))
     order by deadline_at limit 500
    for update skip locked
)
update run r set status = 'failed', epoch = r.epoch + 1, finished_at = clock_timestamp(), wake_at = null,
       error = json_build_object('message', 'The run did not end in the time it was given.', 'kind', 'deadline')
  from late where r.id = late.id returning r.id, r.workspace_id, r.status
"""

LATE_UNDO = """
with late as (
    select id from run
     where status = 'waiting' and deadline_at <= clock_timestamp()
       and exists (select from node_exec n where n.run_id = run.id and n.effect_class = 'undo' and not n.handled
                      and n.status = 'succeeded')
       and not exists (select from node_exec n where n.run_id = run.id and n.effect_class = 'undo' and n.status = 'started')
     limit 500 for update skip locked
)
update run r set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
  from late where r.id = late.id
"""
"""A run that is late and has something to undo ends by its engine, which undoes first; one that is at it stays as it is."""

NOBODY_CAN = """
with old as (
    select id, version_id from run
     where status = 'queued' and lane <> 'express' and queued_at < clock_timestamp() - $1 * interval '1 second'
     order by queued_at limit 100
), missing as (
    select old.id, string_agg(needed.key, ', ' order by needed.key) as kinds
      from old join flow_version v on v.id = old.version_id cross join lateral jsonb_each_text(v.node_versions) needed
     where not exists (select from worker w cross join lateral unnest(w.capabilities) c
                        where w.stopped_at is null and w.heartbeat_at > clock_timestamp() - 2 * w.dead_after
                          and split_part(c, '@', 1) = needed.key and split_part(c, '@', 2)::int >= needed.value::int)
     group by old.id
)
update run r set status = 'failed', epoch = r.epoch + 1, finished_at = clock_timestamp(),
       error = json_build_object('message', 'No worker has what this flow needs: ' || missing.kinds
                                 || '. Install the package that brings it, then run again.', 'kind', 'missing')
  from missing where r.id = missing.id and r.status = 'queued' returning r.id, r.workspace_id, r.status
"""
"""Runs that need a node type which no living worker has. A deploy that is under way gets ten minutes to bring it."""

STUBBORN = """
with stubborn as (
    select id from run
     where status = 'running'
       and (cancel_requested_at <= clock_timestamp() - $1 * interval '1 second'
            or deadline_at <= clock_timestamp() - $1 * interval '1 second')
       and not exists (select from node_exec n where n.run_id = run.id and n.effect_class = 'undo' and not n.handled
                          and n.status in ('succeeded', 'started'))
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
    pool: "asyncpg.Pool[asyncpg.Record]", *, cancel_grace: float = 15.0, renudge: float = 15.0, deploy: float = 600.0
) -> Swept | None:
    """One pass in one transaction. None: somebody else is sweeping. All in seconds."""
    async with borrowed(pool, LONGEST) as connection, connection.transaction():
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
            return None
        lost = await connection.fetch(LOST, DEAD_AFTER, ISOLATE_AFTER)
        due = await connection.fetch(WAKE_DUE)
        await connection.execute(LATE_UNDO)
        ended = [*await connection.fetch(STUBBORN, cancel_grace), *await connection.fetch(LATE_RUNS)]
        ended += await connection.fetch(NOBODY_CAN, deploy)
        await _end_steps(connection, [*ended, *(row for row in lost if row["status"] == "cancelled")])
        await _tell(connection, [*(_lost(row) for row in lost), *(_ended(row["id"], row["status"]) for row in ended)])
        undispatched = await connection.fetch(UNDISPATCHED, renudge)
        await connection.execute(GONE_WORKERS)
    given_up = [row for row in lost if row["status"] in ("dead", "cancelled")]
    return Swept(
        lost=len(lost),
        due=len(due),
        ended=tuple((str(row["workspace_id"]), str(row["id"]), row["status"]) for row in (*ended, *given_up)),
        lanes=tuple(sorted({row["lane"] for row in undispatched})),
    )


async def crashed(pool: "asyncpg.Pool[asyncpg.Record]", worker: UUID, code: int) -> int:
    """An isolated process died, seen by its parent. `code`: its exit status, negative for a signal. How many runs it had."""
    how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
    async with borrowed(pool, LONGEST) as connection, connection.transaction():
        lost = await connection.fetch(CRASHED, DEAD_AFTER, ISOLATE_AFTER, worker, how)
        await _end_steps(connection, [row for row in lost if row["status"] == "cancelled"])
        await _tell(connection, [_lost(row, how) for row in lost])
    return len(lost)


async def _end_steps(connection: Any, ended: list[Any]) -> None:
    if ended:
        await connection.execute(ENDED_STEPS, [row["id"] for row in ended])


async def _tell(connection: Any, events: list[tuple[object, str, str]]) -> None:
    if events:
        await connection.execute(EVENT, *(list(column) for column in zip(*events, strict=True)))


def _lost(row: Any, how: str = "its lease ended") -> tuple[object, str, str]:
    """With the evidence: who died, alone or not, how, and at which steps."""
    type_ = {"queued": "run.lost", "waiting": "run.lost"}.get(row["status"], f"run.{row['status']}")
    evidence = {
        "type": type_,
        "run": str(row["id"]),
        "crashes": row["crashes"],
        "begun": row["begun"],
        "alone": row["alone"],
        "how": how,
        "host": row["host"],
        "pid": row["pid"],
        "steps": msgspec.json.decode(row["steps"]),
    }
    return row["id"], type_, msgspec.json.encode(evidence).decode()


def _ended(run: object, status: str) -> tuple[object, str, str]:
    return run, f"run.{status}", f'{{"type": "run.{status}", "run": "{run}"}}'
