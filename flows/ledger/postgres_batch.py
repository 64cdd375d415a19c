"""Writes of many runs in one statement: the fsync of a commit is shared by whoever waits for one at that moment."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flows.ledger.protocol import Claim, RunChange, StepChange, awaited
from flows.sdk.capabilities import Usage

NOTHING = Usage()
OUTCOMES = frozenset({"succeeded", "failed", "backoff", "waiting", "cancelled", "in_doubt"})
"""Statuses that end an attempt. `skipped` has no attempt."""

encode = msgspec.json.Encoder()


class Write(Struct, eq=False):
    """One call of Ledger.write on its way. `seq` counts the writes of the claim."""

    claim: Claim
    seq: int
    steps: Sequence[StepChange]
    run: RunChange | None
    events: Sequence[dict[str, Any]]
    used: Sequence[str]
    done: "asyncio.Future[Written]"


class Written(Struct, frozen=True):
    """What became of it. `status` may be `queued` although `waiting` was asked for: a signal had come meanwhile.

    `cleared`: with it the run has left quarantine.
    """

    status: str
    lane: str
    first_seq: int
    cancel: bool
    cleared: bool = False


def json_text(value: Any) -> str | None:
    return None if value is None else encode.encode(value).decode()


def arguments(writes: Sequence[Write]) -> tuple[list[Any], ...]:
    """The 48 arrays of postgres_sql.WRITE, in its order. Times become durations, counted from this machine's now."""
    now = time.time()
    return (
        *_columns([_run(write, now) for write in writes], 12),
        *_columns([_step(write, step, now) for write in writes for step in _last(write.steps)], 19),
        *_columns([_attempt(write, step) for write in writes for step in _attempts(write.steps)], 11),
        *_columns([_event(write, nth, event) for write in writes for nth, event in enumerate(write.events)], 4),
        [signal for write in writes for signal in write.used],
        [step.kept for write in writes for step in _last(write.steps)],
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _run(write: Write, now: float) -> tuple[Any, ...]:
    change = write.run
    usage = (change.usage if change else None) or NOTHING
    return (
        write.claim.run,
        write.claim.epoch,
        write.seq,
        len(write.events),
        change.status if change else None,
        change.output if change else None,
        json_text(change.fault) if change else None,
        max(0.0, change.wake_at - now) if change and change.wake_at is not None else None,
        "\x1f".join(_awaited(write)) if change else "",
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost_micros,
    )


def _awaited(write: Write) -> dict[str, None]:
    """Names of signals that wake the run: those the engine told, and those of steps that begin to wait here."""
    named = write.run.signals if write.run is not None else ()
    waiting = [step for step in write.steps if step.status == "waiting" and step.wait is not None and step.wait.signal]
    own = [name for step in waiting if step.wait for name in awaited(step.wait.signal, step.node, step.iter)]
    return dict.fromkeys([*named, *own])


def _last(steps: Sequence[StepChange]) -> list[StepChange]:
    """The last state of each step: one statement can't change a row twice."""
    return list({(step.node, step.iter): step for step in steps}.values())


def _attempts(steps: Sequence[StepChange]) -> list[StepChange]:
    """The last state of each attempt. Skipped, cancelled, or paused before it began (attempt 0): that is no try."""
    tried = [step for step in steps if step.attempt and step.status not in ("skipped", "cancelled")]
    return list({(step.node, step.iter, step.attempt): step for step in tried}.values())


def _step(write: Write, step: StepChange, now: float) -> tuple[Any, ...]:
    usage = step.usage or NOTHING
    key = f"{write.claim.run}:{step.node}:{step.iter}" if step.iter else f"{write.claim.run}:{step.node}"
    return (
        write.claim.run,
        step.node,
        step.iter,
        step.status,
        step.attempt,
        step.effect,
        step.idempotency_key or key,
        step.output,
        json_text(step.fault),
        step.handled,
        max(0.0, step.next_at - now) if step.next_at is not None else None,
        step.wait.until if step.wait is not None and step.status == "waiting" else None,
        json_text(step.wait),
        json_text(step.signal),
        step.ms,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost_micros,
        step.started_at,
    )


def _attempt(write: Write, step: StepChange) -> tuple[Any, ...]:
    usage = step.usage or NOTHING
    return (
        write.claim.run,
        step.node,
        step.iter,
        step.attempt,
        step.status if step.status in OUTCOMES else None,
        json_text(step.fault),
        step.ms,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost_micros,
        step.started_at,
    )


def _event(write: Write, nth: int, event: dict[str, Any]) -> tuple[Any, ...]:
    return write.claim.run, nth, event["type"], encode.encode(event).decode()
