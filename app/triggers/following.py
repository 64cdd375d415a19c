# ruff: noqa: E501 -- SQL keeps its own shape
"""Triggers that follow something: the workspace's event log, and the ends of another flow's runs.

Each thing fires once: events by the number up to which the trigger has looked, moved in the transaction that stores the
runs; ends by the run's id, looked for again over two minutes, because a run may be seen later than it ended.
"""

from typing import Any
from uuid import UUID

import msgspec

from app.db import Tx
from app.events import Event, read
from app.runs.service import variables_in_force, whole_output
from app.triggers.due import each_locked, trigger_of
from app.triggers.firing import Trigger, depth_of, fire, note
from app.triggers.plans import stored_settings
from flows.expressions import ExpressionError, expression
from flows.sdk.holes import VARS, vars_in

BATCH = 200
MOST_A_MINUTE = 300
"""Runs that one trigger may start in a minute; what comes on top is left out, and the log says how much."""

BEHIND = """
select p.trigger_id, p.workspace_id from trigger_plan p
  join event_counter c on c.workspace_id = p.workspace_id join trigger t on t.id = p.trigger_id
 where p.cursor is not null and c.last > p.cursor and t.enabled and not t.paused limit 500
"""
WAITING = """
select p.trigger_id, p.workspace_id from trigger_plan p join trigger t on t.id = p.trigger_id
 where p.since is not null and t.enabled and not t.paused limit 500
"""
ENDED = """
select r.id, r.status, r.output, r.error, r.finished_at, v.document->>'name' as flow
  from run r join flow_version v on v.id = r.version_id
 where r.flow_id = (select flow_id from flow_version where id = $1)
   and r.finished_at > $2::timestamptz - interval '2 minutes' and r.finished_at > $3 and not r.draft and r.status = any ($4)
   and v.environment_id is not distinct from $7
   and not exists (select from trigger_firing f where f.trigger_id = $5 and f.key = r.id::text)
 order by r.finished_at limit $6
"""
STATUSES = {
    "failed": ["failed", "dead"], "succeeded": ["succeeded"], "either": ["failed", "dead", "succeeded"],
}  # fmt: skip


async def fire_events() -> int:
    """Start what waits for events. Every second. Returns how many triggers were looked at."""
    return await each_locked("triggers on events", BEHIND, _events)


async def fire_ends() -> int:
    """Start what waits for the end of another flow. Every second."""
    return await each_locked("triggers on ends of runs", WAITING, _ends)


async def _events(tx: Tx, row: Any) -> int:
    if not row["awake"] or row["live"] is None or row["cursor"] is None:
        return 0
    trigger, settings = trigger_of(row), stored_settings("event", row["rule"])
    events = await read(tx, trigger.workspace_id, row["cursor"], limit=BATCH)
    left = MOST_A_MINUTE - await _started_lately(tx, trigger.id)
    started = 0
    other: list[Event] = []
    known = await _variables(tx, row, settings)
    for event in events:
        given = {
            "number": event.seq, "topic": event.topic, "type": event.type, "data": event.data,
            "at": event.at.isoformat() if event.at is not None else "",
        }  # fmt: skip
        if settings is None or not wanted(settings.kinds, event.type):
            continue
        holds = await _holds(tx, trigger, settings, {"event": given, **known})
        if not holds:
            other += [event] if holds is False else []
            continue
        if left <= 0:
            await _too_many(tx, trigger, event)
            continue
        done = await fire(tx, trigger, f"event {event.seq}", {"event": given}, depth=await _depth(tx, event.data))
        left -= done is not None
        started += done is not None and done.result == "started"
    if other:
        await _not_wanted(tx, trigger, other)
    if events:
        await tx.execute("update trigger_plan set cursor = $2 where trigger_id = $1", trigger.id, events[-1].seq)
    return int(started > 0)


async def _ends(tx: Tx, row: Any) -> int:
    settings = stored_settings("after", row["rule"])
    if not row["awake"] or row["live"] is None or settings is None or not settings.flow:
        return 0
    trigger = trigger_of(row)
    ended = await tx.fetch(
        ENDED,
        UUID(settings.flow),
        row["since"],
        row["begins_at"],
        STATUSES[settings.when],
        trigger.id,
        BATCH,
        row["environment_id"],
    )
    for run in ended:
        given = {
            "run": str(run["id"]), "flow": run["flow"] or "", "status": run["status"],
            "output": await whole_output(tx, run["id"], run["output"]),
            "error": str((msgspec.json.decode(run["error"]) or {}).get("message", "")) if run["error"] else "",
        }  # fmt: skip
        await fire(tx, trigger, str(run["id"]), given, depth=1 + await depth_of(tx, run["id"]))
    since = ended[-1]["finished_at"] if len(ended) == BATCH else row["now"]
    await tx.execute("update trigger_plan set since = $2 where trigger_id = $1", trigger.id, since)
    return int(bool(ended))


def wanted(kinds: list[str], type: str) -> bool:
    return any(kind in (type, "*") or (kind.endswith(".*") and type.startswith(kind[:-1])) for kind in kinds)


async def _variables(tx: Tx, row: Any, settings: Any) -> dict[str, Any]:
    """What the condition knows beside the event: the variables in force where the trigger is, if it reads any."""
    if settings is None or not vars_in(settings.condition):
        return {}
    found = await variables_in_force(tx, row["workspace_id"], row["environment_id"])
    return {VARS: found.vars} if found is not None else {}


async def _holds(tx: Tx, trigger: Trigger, settings: Any, known: dict[str, Any]) -> bool | None:
    """Whether the condition is true. None: it can't be evaluated, and the log says why."""
    if not settings.condition.strip():
        return True
    try:
        return bool(expression(settings.condition)(known))
    except ExpressionError as problem:
        await note(tx, trigger, f"condition {known['event']['number']}", "skipped", str(problem))
        return None


async def _depth(tx: Tx, data: Any) -> int:
    """0 for what people do; one more than its cause for what a run did."""
    run = data.get("run") if isinstance(data, dict) else None
    try:
        return 1 + await depth_of(tx, UUID(run)) if isinstance(run, str) else 0
    except ValueError:
        return 0


async def _started_lately(tx: Tx, trigger_id: UUID) -> int:
    lately = """select count(*) from trigger_firing where trigger_id = $1 and result = 'started'
                and at > clock_timestamp() - interval '1 minute'"""
    return int(await tx.fetchval(lately, trigger_id))


async def _not_wanted(tx: Tx, trigger: Trigger, events: list[Event]) -> None:
    """One line an hour, that counts: whoever asks why it did not fire finds the answer, and a busy workspace no flood."""
    first = events[0]
    hour = f"{first.at:%Y-%m-%dT%H}" if first.at is not None else "now"
    said = f"'Only if' did not hold, as for {first.type}, number {first.seq}."
    await note(tx, trigger, f"not wanted {hour}", "skipped", said, len(events))


async def _too_many(tx: Tx, trigger: Trigger, event: Event) -> None:
    minute = f"{event.at:%Y-%m-%dT%H:%M}" if event.at is not None else "now"
    await note(tx, trigger, f"flood {minute}", "skipped", f"More than {MOST_A_MINUTE} in a minute: left out.")
