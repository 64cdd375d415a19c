"""Runs are stored, to be carried out by a worker whatever happens, and queue within their limits."""

from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.db import Tx, tenant_tx
from app.errors import TooMany
from app.runs import express, limits
from app.runs.limits_drain import retry_after
from app.runs.running import Ready, host
from app.runs.service.asked import input_text, may_run, mine, person_of
from app.runs.service.versions import for_key
from app.runs.variables import in_force, reads
from app.web import Actor
from flows.ledger import postgres_verbs as verbs
from flows.transport.protocol import Lane

DEADLINE = 30 * 24 * 3600.0
"""Seconds after which a run that still waits is given up."""


async def start(  # noqa: PLR0913 -- each is a fact of the run
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    lane: Lane = "normal",
    priority: int = 0,
    afresh: bool = False,
) -> UUID:
    """Store a run; when this returns, the run will be carried out whatever happens. Returns its id.

    The same idempotency key gives the run it gave before. `afresh`: take no results that were kept from runs before.
    `priority`: in its lane the higher one comes first, within the workspace. `lane`: "normal" is "bulk" for a flow that
    says so.

    Raises NotFound for a version of somebody else, Conflict for a key that came with another input, Refused for an
    input that is too large, TooMany for a full queue.
    """
    may_run(who)
    ready = await mine(who, version_id)
    new = verbs.NewRun(
        workspace_id=ready.workspace_id,
        flow_id=ready.flow_id,
        version_id=version_id,
        input=input_text(input, visitor),
        trigger=trigger,
        lane=lane,
        priority=priority,
        trigger_id=trigger_id,
        started_by=person_of(who),
        visitor=visitor,
        draft=draft,
        idempotency_key=idempotency_key,
        deadline=DEADLINE,
        afresh=afresh,
    )
    async with tenant_tx(ready.workspace_id) as tx:
        run_id, lane = await _stored(tx, new, ready)
    await host().nudge(lane)
    return run_id


async def start_within(
    tx: Tx,
    workspace_id: UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    trigger_id: UUID | None = None,
    idempotency_key: str = "",
    lane: Lane = "normal",
) -> UUID:
    """Store a run in the caller's transaction, so that it exists if, and only if, what the caller writes does.

    The caller calls `nudge` after the commit. Raises what `start` raises. While a new version is rolled out, part of
    what triggers start runs that one.
    """
    ready = await mine(workspace_id, version_id)
    if trigger_id is not None:
        version_id = await for_key(ready.flow_id, version_id, idempotency_key or str(uuid4()))
        ready = await host().ready(version_id)
    new = verbs.NewRun(
        workspace_id=workspace_id,
        flow_id=ready.flow_id,
        version_id=version_id,
        input=input_text(input),
        trigger=trigger,
        lane=lane,
        trigger_id=trigger_id,
        idempotency_key=idempotency_key,
        deadline=DEADLINE,
    )
    return (await _stored(tx, new, ready))[0]


async def _stored(tx: Tx, new: verbs.NewRun, ready: Ready) -> tuple[UUID, Lane]:
    """Its id, and the lane it queues in: that of its flow, where nobody waits for it."""
    line, bulk = await limits.queue_of(tx, *ready.place, new.input)
    new = msgspec.structs.replace(
        new, line=line, lane="bulk" if bulk and new.lane == "normal" else new.lane,
        variables_id=await variables_id(tx, ready),
    )  # fmt: skip
    try:
        started = await verbs.start_run(tx, new)
    except verbs.QueueFull:
        seconds = await retry_after(tx, new.workspace_id)
        raise TooMany("Too many runs of this workspace are waiting.", retry_after=seconds) from None
    except verbs.OtherRequest:
        raise express.reused() from None
    return UUID(str(started.id)), new.lane


async def variables_id(tx: Tx, ready: Ready) -> UUID | None:
    """The set of variables that a run beginning now keeps; None for a flow that reads none."""
    if not reads(ready.plan):
        return None
    found = await in_force(tx, ready.workspace_id, ready.environment_id)
    return found.id if found is not None else None


async def nudge(lane: Lane = "normal") -> None:
    """Tell workers that there is something to do; a lost nudge costs two seconds."""
    await host().nudge(lane)


async def limit(actor: Actor, flow_id: UUID, wanted: limits.Limits) -> limits.FlowLimits:
    """Set how many runs of a flow may be under way at once. Raises what limits.save raises."""
    saved = await limits.save(actor, flow_id, wanted)
    host().limited.forget()
    await host().nudge("normal")  # there may be room now
    return saved
