"""Schedules: what is due is fired, by any of the workers, once.

The clock is PostgreSQL's. A worker takes a schedule by locking its plan; the planned time is part of the firing's key,
so even a clock that is set back fires nothing twice.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.db import Tx, system_tx, tenant_tx
from app.logs import logger
from app.runs import service as runs
from app.triggers import calendar, pacing
from app.triggers.firing import Overlap, Trigger, begin, fire, note
from flows import catalogue

log = logger(__name__)

DUE = """
select p.trigger_id, p.workspace_id from trigger_plan p
 where p.next_at <= clock_timestamp() order by p.next_at limit 200
"""
QUEUED = "select distinct trigger_id, workspace_id from trigger_firing where result = 'queued' limit 200"
LOCKED = """
select p.*, t.environment_id, t.flow_id, t.node_id, t.kind, t.enabled and not t.paused as awake, l.version_id as live,
       clock_timestamp() as now,
       (select count(*) from trigger o where o.flow_id = t.flow_id and o.kind = t.kind and o.enabled
           and o.environment_id is not distinct from t.environment_id) as alike
  from trigger_plan p join trigger t on t.id = p.trigger_id left join flow_running l on l.flow_id = t.flow_id
       and l.environment_id is not distinct from t.environment_id
 where p.trigger_id = $1 for update of p skip locked
"""
DUE_HELD = """
select distinct trigger_id, workspace_id from trigger_firing
 where result = 'held' and slot_at <= clock_timestamp() limit 200
"""
HELD = """
select id, input, times from trigger_firing where trigger_id = $1 and result = 'held' and slot_at <= clock_timestamp()
 order by slot_at, id limit 100 for update skip locked
"""
NEXT_QUEUED = """
select f.id, f.input from trigger_firing f where f.trigger_id = $1 and f.result = 'queued'
   and not exists (
       select from (select run_id from trigger_firing where trigger_id = $1 and run_id is not null
                    order by at desc limit 200) g
       join run r on r.id = g.run_id where r.status in ('queued', 'running', 'waiting'))
 order by f.id limit 1
"""


async def fire_due() -> int:
    """Start what is due by the clock. Every second. Returns how many schedules were looked at."""
    return await each_locked("due schedules", DUE, _fire)


async def fire_queued() -> int:
    """Start what waited for the run before it. Every second."""
    return await each_locked("queued firings", QUEUED, _begin_next)


async def fire_held() -> int:
    """Start what the pace of its trigger held until now. Every second."""
    return await each_locked("held firings", DUE_HELD, _begin_held)


async def each_locked(why: str, found: str, act: Callable[[Tx, Any], Awaitable[int]]) -> int:
    """Lock the plan of each trigger that `found` (SQL) names, and act on it in a transaction of its workspace.

    Who is locked elsewhere is left out. Returns how many were acted on.
    """
    async with system_tx(why) as tx:
        rows = await tx.fetch(found)
    done = 0
    for row in rows:
        try:
            async with tenant_tx(row["workspace_id"]) as tx:
                locked = await tx.fetchrow(LOCKED, row["trigger_id"])
                done += await act(tx, locked) if locked is not None else 0
        except Exception:  # one schedule that can't be fired must not hold up the others
            log.exception("a trigger could not be fired; it is tried again", trigger=str(row["trigger_id"]))
    if done:
        await runs.nudge("normal")
    return done


async def _fire(tx: Tx, row: Any) -> int:
    if row["next_at"] is None or row["next_at"] > row["now"]:
        return 0  # another worker was here between the look and the lock
    if not row["awake"] or row["live"] is None:
        await _set(tx, row["trigger_id"], None)
        return 0
    rule = catalogue.load()["start.schedule"].settings
    settings: Any = msgspec.convert(msgspec.json.decode(row["rule"]), rule)
    trigger = trigger_of(row)
    due = calendar.due(settings.line, settings.zone, row["next_at"], row["now"])
    made_up = _made_up(due.missed, settings.missed, settings.most)
    left_out = due.missed[: len(due.missed) - len(made_up)]
    if left_out or due.gone:
        number = len(left_out) + due.gone
        first, last = row["next_at"], (left_out or due.missed)[-1]
        span = _span(first, last, settings.zone)
        said = f"{number} planned {'time' if number == 1 else 'times'} passed while nothing was running here: {span}."
        if due.gone:
            said = f"More than {number} planned times passed while nothing was running here: {span}."
        await note(tx, trigger, f"missed {first.isoformat()}", "skipped", said)
    one_by_one: Overlap = (
        "queue" if settings.overlap == "skip" else settings.overlap
    )  # else only the first would be made up for
    for moment in made_up:
        late = "Made up for: nothing was running at that time."
        await fire(tx, trigger, *_planned(moment, settings.zone), planned_at=moment, overlap=one_by_one, reason=late)
    for moment in due.on_time:
        await fire(tx, trigger, *_planned(moment, settings.zone), planned_at=moment, overlap=settings.overlap)
    await _set(tx, row["trigger_id"], due.next_at)
    return 1


async def _begin_next(tx: Tx, row: Any) -> int:
    if row["live"] is None or not row["awake"]:
        return await _leave_out(tx, row["trigger_id"], "queued", "Switched off while it waited.")
    waiting = await tx.fetchrow(NEXT_QUEUED, row["trigger_id"])
    if waiting is None:
        return 0
    await begin(tx, trigger_of(row), waiting["id"], msgspec.json.decode(waiting["input"]))
    return 1


async def _begin_held(tx: Tx, row: Any) -> int:
    if row["live"] is None or not row["awake"]:
        return await _leave_out(tx, row["trigger_id"], "held", "Switched off while it was held.")
    due, pace = await tx.fetch(HELD, row["trigger_id"]), await pacing.of(tx, row["trigger_id"])
    for each in due:
        said = pacing.started(pace, each["times"])
        await begin(tx, trigger_of(row), each["id"], msgspec.json.decode(each["input"]), said)
    return len(due)


async def _leave_out(tx: Tx, trigger_id: UUID, which: str, reason: str) -> int:
    """Firings that wait are not made any more. Returns how many runs that starts: 0."""
    await tx.execute(
        "update trigger_firing set result = 'skipped', reason = $3, input = null where trigger_id = $1 and result = $2",
        trigger_id,
        which,
        reason,
    )
    return 0


def trigger_of(row: Any) -> Trigger:
    return Trigger(
        row["trigger_id"], row["workspace_id"], row["flow_id"], row["node_id"], row["kind"], row["live"], row["alike"]
    )


def _planned(moment: datetime, zone: str) -> tuple[str, dict[str, str]]:
    """The firing's key, and the run's input."""
    return moment.isoformat(), {"planned_at": calendar.local_text(moment, zone)}


def _made_up(missed: list[datetime], policy: str, most: int) -> list[datetime]:
    if policy == "skip" or not missed:
        return []
    return missed[-1:] if policy == "once" else missed[-most:]


def _span(first: datetime, last: datetime, zone: str) -> str:
    begin, end = (f"{moment.astimezone(ZoneInfo(zone)):%-d %b, %H:%M}" for moment in (first, last))
    return f"{begin} {zone}" if begin == end else f"{begin} to {end} {zone}"


async def _set(tx: Tx, trigger_id: UUID, next_at: datetime | None) -> None:
    await tx.execute("update trigger_plan set next_at = $2 where trigger_id = $1", trigger_id, next_at)
