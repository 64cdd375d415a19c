"""Following a durable run: its stored events by number, tokens as they are whispered, until it ends or waits for
somebody.

The hub says when to look; with Redis dead we look every second. What is given never has gaps or repeats.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec

from app.db import tenant_tx
from app.errors import NotFound
from app.events import hub
from app.runs import values
from app.runs.glance import ASKS
from app.runs.outcome import Outcome, outcome_of, plain
from flows.breaks import BREAK

LOOK = 1.0
"""Seconds between two looks when the hub says nothing."""
ENDS = frozenset({"run.succeeded", "run.failed", "run.cancelled", "run.in_doubt", "run.dead"})
STANDING = frozenset({"succeeded", "failed", "cancelled", "in_doubt", "dead"})

PAGE_BYTES = 128 << 10
"""Of events of a run read at once: a reader who is slow must not fill our memory. One event is always read."""

NEXT = f"""
select seq, payload from (
    select seq, payload, sum(length(payload::text)) over (order by seq) - length(payload::text) as before
      from (select seq, payload from run_event where run_id = $1 and seq > $2 order by seq limit 500) e
) p where before < {PAGE_BYTES} order by seq
"""  # noqa: S608 -- a constant
STATE = f"""select status, output, error, next_event_seq - 1 as last, {ASKS} or exists (
    select from node_exec p where p.run_id = r.id and p.status = 'waiting' and p.wait->>'signal' = '{BREAK}') as asks
  from run r where id = $1"""  # noqa: S608 -- constants


async def events_of(
    workspace_id: UUID, run_id: UUID, after: int = 0, *, numbered: bool = False, through_waits: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """Events of a run from number `after` + 1 on, ending with the one that ends the run, or the wait for a person, be
    it at a question or at a breakpoint.

    `numbered`: each stored event carries "seq". `through_waits`: go on while the run waits for somebody.
    Raises NotFound for a run of another workspace.
    """
    async with hub.subscribe(workspace_id, [f"run:{run_id}"]) as heard:
        while True:
            rows, state = await _read(workspace_id, run_id, after)
            for row in rows:
                after = row["seq"]
                event = await values.whole_event(workspace_id, plain(msgspec.json.decode(row["payload"])))
                if numbered:
                    event["seq"] = after
                yield event
                if event["type"] in ENDS:
                    return
            if rows and after < state["last"]:
                continue
            if state["status"] in STANDING and not rows:  # an express run, or one whose last event was kept elsewhere
                yield (await _outcome(workspace_id, run_id, state)).event()
                return
            if state["status"] == "waiting" and state["asks"] and not through_waits and not rows:
                return
            async for token in _until_news(heard):
                yield token
            if heard.ended:
                return


async def _until_news(heard: Any) -> AsyncIterator[dict[str, Any]]:
    """Tokens that are whispered meanwhile; ends when something was stored, or after LOOK seconds of silence."""
    while True:
        event = await heard.next(LOOK)
        if event is None:
            return
        if event.type == "step.token":
            yield event.data
            continue
        return


async def outcome(workspace_id: UUID, run_id: UUID, patience: float) -> Outcome:
    """How the run ended, or how it stands when it has answered, waits for a person, or after `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            async for event in events_of(workspace_id, run_id):
                if event["type"] == "run.answered":
                    break
    except TimeoutError:
        pass
    return await state(workspace_id, run_id)


async def state(workspace_id: UUID, run_id: UUID) -> Outcome:
    """How the run stands now. Raises NotFound."""
    async with tenant_tx(workspace_id) as tx:
        row = await tx.fetchrow(STATE, run_id)
    if row is None:
        raise NotFound("This run does not exist.")
    return await _outcome(workspace_id, run_id, row)


async def _outcome(workspace_id: UUID, run_id: UUID, row: Any) -> Outcome:
    output = await values.whole_text(workspace_id, run_id, row["output"])
    return outcome_of(run_id, row["status"], output, row["error"])


async def _read(workspace_id: UUID, run_id: UUID, after: int) -> tuple[list[Any], Any]:
    async with tenant_tx(workspace_id) as tx:
        state = await tx.fetchrow(STATE, run_id)
        if state is None:
            raise NotFound("This run does not exist.")
        return list(await tx.fetch(NEXT, run_id, after)), state
