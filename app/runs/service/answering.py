"""Runs that somebody waits for: their end, or their events as they come.

Two lanes: a flow that can run at once in this process does (express: its record is committed before the answer);
every other flow is stored first and carried out by a worker (durable). Callers of `answer` and `stream` need not know
which.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from app.runs import express, following
from app.runs.outcome import Outcome
from app.runs.running import host
from app.runs.service.asked import may_run, mine, person_of, workspace_of
from app.runs.service.starting import start
from app.web import Actor

PATIENCE = 60.0
"""Seconds that `answer` waits for a durable run."""


async def answer(
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    patience: float = PATIENCE,
    afresh: bool = False,
) -> Outcome:
    """Run and wait for the end, at most `patience` seconds; then the outcome's status is where the run stands."""
    may_run(who)
    ready = await mine(who, version_id)
    by = person_of(who)
    request = express.Request(ready, input, trigger, by, idempotency_key, draft, visitor, trigger_id, patience, afresh)
    if await ready.runs_here():
        return await express.answer(host(), request)
    run_id = await _stored(who, version_id, request)
    return await following.outcome(ready.workspace_id, run_id, patience)


async def stream(
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    afresh: bool = False,
) -> AsyncIterator[dict[str, Any]]:
    """Run, and give its events as they come. The last one is run.succeeded, .failed, .cancelled, .in_doubt or .waiting.

    Every event names its run under "run". When the last one comes, the record is committed. Leaving early does not stop
    the run of a durable flow; an express run is cancelled and recorded as such.
    """
    may_run(who)
    ready = await mine(who, version_id)
    by = person_of(who)
    request = express.Request(ready, input, trigger, by, idempotency_key, draft, visitor, trigger_id, afresh=afresh)
    if await ready.runs_here():
        async for event in express.stream(host(), request):
            yield event
        return
    run_id = await _stored(who, version_id, request)
    async for event in following.events_of(ready.workspace_id, run_id):
        yield event


async def _stored(who: Actor | UUID, version_id: UUID, request: express.Request) -> UUID:
    """Where this process does not run it at once: a worker is to, before those that nobody waits for."""
    return await start(
        who,
        version_id,
        request.input,
        trigger=request.trigger,
        idempotency_key=request.idempotency_key,
        draft=request.draft,
        visitor=request.visitor,
        trigger_id=request.trigger_id,
        lane="interactive",
        afresh=request.afresh,
    )


async def follow(who: Actor | UUID, run_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """A run's events from its beginning, as `stream` gives them. Raises NotFound."""
    async for event in following.events_of(workspace_of(who), run_id):
        yield event
