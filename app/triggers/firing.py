# ruff: noqa: E501 -- SQL keeps its own shape
"""One firing: its row and the run's row in one transaction, so that it happens once, or not at all, and says why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app import db
from app.db import Tx
from app.errors import DomainError
from app.events import hub
from app.runs import service as runs
from app.triggers import pacing

Overlap = Literal["skip", "queue", "allow", "cancel"]
DEEPEST = 8
"""How many triggers may lead from one to the next before nobody believes any more that it ends."""
MOST_QUEUED = 100
LOOKED_AT = 200
"""Only so many of a trigger's last firings are asked whether their run still goes on."""

CLAIM = """
insert into trigger_firing (workspace_id, trigger_id, key, result, reason, planned_at, input, depth, pace_key, slot_at)
values ($1, $2, $3, $4, $5, $6, $7::json, $8, $9, $10) on conflict (trigger_id, key) do nothing returning id
"""
GOING = """
select r.id from (
    select run_id from trigger_firing where trigger_id = $1 and run_id is not null order by at desc limit $2
) f join run r on r.id = f.run_id where r.status in ('queued', 'running', 'waiting') order by r.id
"""
DEPTH = "select depth from trigger_firing where run_id = $1 order by at limit 1"


class Trigger(Struct, frozen=True):
    """What is needed to start a run of it. `version_id`: the live one. `alike`: steps of this kind in the flow."""

    id: UUID
    workspace_id: UUID
    flow_id: UUID
    node: str
    kind: str
    version_id: UUID
    alike: int = 1

    @property
    def start(self) -> str:
        """What the run is told it was started by; it names the step only where that is not clear."""
        return self.kind if self.alike < 2 else f"{self.kind}:{self.node}"


class Fired(Struct, frozen=True):
    """`result`: started, queued, held, merged, skipped, refused; with the reason for all but the first.

    `until`: when what is held starts, as it looks now.
    """

    id: UUID
    result: str
    reason: str = ""
    run_id: UUID | None = None
    until: datetime | None = None


async def fire(
    tx: Tx,
    trigger: Trigger,
    key: str,
    input: Mapping[str, Any],
    *,
    planned_at: datetime | None = None,
    depth: int = 0,
    overlap: Overlap = "allow",
    reason: str = "",
    by_hand: bool = False,
) -> Fired | None:
    """Start a run for `key`, unless this trigger fired for it before (None). `tx`: the workspace's own transaction.

    A trigger with a pace may hold it, merge it into what is held, or leave it out; not what is fired `by_hand`.

    Refusals of runs (queue full, the version can't run) are the firing's result, not an error. Call `runs.nudge`
    after the commit.
    """
    going = [] if overlap == "allow" else [row["id"] for row in await tx.fetch(GOING, trigger.id, LOOKED_AT)]
    queued = overlap == "queue" and await tx.fetchval(
        "select count(*) from trigger_firing where trigger_id = $1 and result = 'queued'", trigger.id
    )
    result = "started"
    if depth > DEEPEST:
        result, reason = "skipped", f"{DEEPEST} triggers in a row led here: this would go on for ever."
    elif overlap == "skip" and going:
        result, reason = "skipped", "The last run still went on."
    elif overlap == "queue" and (going or queued):
        full = queued and queued >= MOST_QUEUED
        result, reason = ("skipped", f"{MOST_QUEUED} wait already.") if full else ("queued", "Waits for the last run.")
    kept = msgspec.json.encode(input).decode() if result == "queued" else None
    pace = await pacing.of(tx, trigger.id) if result == "started" and not by_hand else None
    at = await pacing.place(tx, trigger.id, pace, input) if pace is not None else pacing.Place("started")
    if at.result != "started":
        result, reason, kept = at.result, at.reason, at.held
    firing_id = await tx.fetchval(
        CLAIM, trigger.workspace_id, trigger.id, key[:300], result, reason, planned_at, kept, depth,
        at.key if pace is not None else None, at.slot,
    )  # fmt: skip
    if firing_id is None:
        return None
    if pace is not None and at.into is not None:
        full = await pacing.merge(tx, trigger.id, pace, at, input)
        if full is not None:
            await begin(tx, trigger, at.into, full[0], pacing.started(pace, full[1]))
    if result == "started":
        if overlap == "cancel":
            for run_id in going:
                await runs.cancel(trigger.workspace_id, run_id)
        return await begin(tx, trigger, firing_id, input, reason)
    _told(trigger, result)
    return Fired(firing_id, result, reason, until=at.slot)


async def begin(tx: Tx, trigger: Trigger, firing_id: UUID, input: Any, reason: str = "") -> Fired:
    """Start the run of a firing that has its row."""
    try:
        async with tx.transaction():
            run_id = await runs.start_within(
                tx, trigger.workspace_id, trigger.version_id, input, trigger=trigger.start, trigger_id=trigger.id,
                idempotency_key=f"firing:{firing_id}",
            )  # fmt: skip
    except DomainError as problem:
        await tx.execute(
            "update trigger_firing set result = 'refused', reason = $2, input = null where id = $1",
            firing_id,
            str(problem)[:500],
        )
        _told(trigger, "refused")
        return Fired(firing_id, "refused", str(problem)[:500])
    await tx.execute(
        "update trigger_firing set result = 'started', reason = $3, run_id = $2, input = null where id = $1",
        firing_id,
        run_id,
        reason,
    )
    _told(trigger, "started")
    return Fired(firing_id, "started", reason, run_id)


async def note(tx: Tx, trigger: Trigger, key: str, result: str, reason: str, times: int = 1) -> None:
    """Only say so: nothing started. The same key again counts up."""
    await tx.execute(
        """insert into trigger_firing as f (workspace_id, trigger_id, key, result, reason, times)
           values ($1, $2, $3, $4, $5, $6) on conflict (trigger_id, key) do update set times = f.times + excluded.times""",
        trigger.workspace_id, trigger.id, key[:300], result, reason[:500], times,
    )  # fmt: skip
    _told(trigger, result)


async def depth_of(tx: Tx, run_id: UUID | None) -> int:
    """How many triggers in a row led to this run; 0 for one that a person or a program started."""
    return int(await tx.fetchval(DEPTH, run_id) or 0) if run_id is not None else 0


def _told(trigger: Trigger, result: str) -> None:
    """Open pages look again. A whisper, not an event: an event would be one more thing to trigger on."""
    data = {"trigger": str(trigger.id), "flow": str(trigger.flow_id), "result": result}
    db.on_commit(lambda: hub.whisper(trigger.workspace_id, "workspace", "trigger.fired", data))
