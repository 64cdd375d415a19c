"""The end of what a worker does for a run: it ended, sleeps, is in doubt or goes on elsewhere; the ledger knows."""

from typing import Any

import msgspec
from msgspec import Struct

from flows.doubts import sentence
from flows.journal import Journal
from flows.ledger.protocol import Fault, RunChange, RunStatus, StepChange, awaited
from flows.running import Running
from flows.sdk.capabilities import Usage
from flows.stored import Later


class Outcome(Struct, frozen=True):
    """What `advance` achieved. `output`: JSON text of the result. `outputs`: by step id, of the flow's own level."""

    status: RunStatus
    output: str | None = None
    fault: Fault | None = None
    wake_at: float | None = None
    outputs: dict[str, Any] = msgspec.field(default_factory=dict)
    errors: tuple[BaseException, ...] = ()
    usage: Usage | None = None


class RunFailed(ExceptionGroup[Exception]):
    """`Engine.run` ended without success. `outcome` says how; the exceptions are those of the steps."""

    outcome: Outcome


class Cancelled(Exception):
    """The run was cancelled."""


class InDoubt(Exception):
    """A step that must not happen twice was interrupted: somebody has to say whether it happened."""


async def in_doubt(journal: Journal, steps: list[Any]) -> Outcome:
    first = steps[0]
    said = sentence(first.node)
    fault = Fault(said, "", first.node, first.iter, "InDoubt")
    for step in steps:
        if step.status != "in_doubt":
            journal.add(StepChange(step.node, step.iter, "in_doubt", step.attempt, step.effect, fault=fault))
    journal.event({"type": "run.in_doubt", "run": journal.claim.run, "node": first.node, "error": said})
    await journal.flush(RunChange("in_doubt", fault=fault))
    return Outcome("in_doubt", fault=fault, errors=(InDoubt(said),))


async def close(run: Running, journal: Journal) -> Outcome:
    if run.broken is not None:
        raise run.broken
    top = run.top
    status: RunStatus = run.ending or "queued"
    fault, output, wake_at = run.fault or top.fault, None, None
    names: tuple[str, ...] = ()
    errors = tuple(error for error in (top.error or run.error,) if error is not None)
    if status == "succeeded" and top.result is not None:
        output = top.result.text_ if isinstance(top.result, Later) else run.values.recorded(top.result, "")
    if status == "waiting":
        parked = run.pauses.asleep
        wake_at = min((p.next_at for p in parked if p.next_at is not None), default=None)
        names = tuple(
            dict.fromkeys(
                name
                for p in parked
                if p.wait is not None and p.wait.signal
                for name in awaited(p.wait.signal, p.frame.prefix + p.step.id, p.frame.iter)
            )
        )
    if status != "queued":
        announce(run, f"run.{status}", journal, output=output, error=fault.message if fault else None, usage=run.usage)
    await journal.flush(RunChange(status, output, fault, wake_at, names, run.usage))
    outputs = {}
    for step, out in zip(top.plan.steps, top.outs, strict=True):
        if isinstance(out, step.outputs | Later):
            outputs[step.id] = out
    return Outcome(status, output, fault, wake_at, outputs, errors, run.usage)


def announce(run: Running, type: str, journal: Journal | None, **more: Any) -> None:
    event = {"type": type, "run": run.facts.run_id, **{key: value for key, value in more.items() if value is not None}}
    if run.facts.emit is not None:
        run.facts.emit(event)
    if journal is not None:
        journal.event(event)


def unknown(status: str, effect: str) -> bool:
    return status == "started" and effect == "at_most_once"  # a probe is asked when the step is reached


def told_of(run_id: str, outcome: Outcome) -> str:
    return f"Run {run_id} {outcome.status}: {outcome.fault.message if outcome.fault else 'no reason given'}"
