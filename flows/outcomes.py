"""How steps end while a run is executed: what they gave, what went wrong, what was left out. On record, handed on."""

import time
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec

from flows.done import Done, added
from flows.doubts import doubt, unknown
from flows.failing import fault_of, instead, no_more_retries, pause_before_next, too_dear
from flows.frame import PENDING, Frame
from flows.leaving import leave
from flows.ledger.protocol import RunChange
from flows.plan import Step
from flows.sdk.capabilities import Usage
from flows.sdk.context import Context, Wait
from flows.sdk.errors import NodeError
from flows.sdk.node import Nothing
from flows.stored import MARK, Later
from flows.undoing import arm

if TYPE_CHECKING:
    from flows.running import Running

GUARDED = frozenset({"at_most_once", "probe", "db"})
"""When a run is stopped, a running step of these effects may finish, so that its outcome is known."""
UNSETTLED = frozenset({"ready", "started", "waiting", "backoff", "cancelled"})
"""States on record that a step called off before it was taken up again must not keep."""


def returned(
    run: "Running", frame: Frame, step: Step, ctx: Context, out: Any, began: float, ready: list[int], kept: bool = False
) -> None:
    """A function came back. Appends to `ready`; the caller goes on with it. `kept`: it need not be called."""
    if out.__class__ is not step.outputs:
        if isinstance(out, Wait):
            if run.journal is None:
                error = NodeError("This step wants to wait, which is not possible in a flow that answers at once.")
                failed(run, frame, step, 1, ctx.attempt, error, began, ready, ctx.usage)
            else:
                run.pauses.park(frame, step, ctx.attempt, out)
            return
        if out is None and step.outputs is Nothing:
            out = Nothing()
        elif not isinstance(out, step.outputs):
            name = type(out).__name__
            error = NodeError(
                f"The component returned {name} instead of {step.outputs.__name__}. Its author must fix it."
            )
            failed(run, frame, step, 1, ctx.attempt, error, began, ready, ctx.usage)
            return
    now, text = perf_counter(), ""
    out = arm(run, frame, step, out) if step.kind is not None and step.kind.undo else out
    if run.journal is not None:
        try:
            text = run.values.recorded(out, frame.prefix + step.id, step)
        except NodeError as error:
            failed(run, frame, step, 1, ctx.attempt, error, began, ready, ctx.usage)
            return
        ms = (now - began) * 1000
        more: dict[str, Any] = {
            "output": text,
            "started_at": run.zero + began,
            "ms": ms,
            "usage": ctx.usage,
            "kept": kept,
        }
        if ctx._acts:
            more["acts"] = tuple(ctx._acts)
        run.write(frame, step, "succeeded", ctx.attempt, **more)
    run.note(Done(frame, step, "succeeded", ctx.attempt, began, now, out, None, ctx.usage, kept))
    if run.watched:
        ms, output = (now - began) * 1000, msgspec.json.decode(text) if MARK in text else msgspec.to_builtins(out)
        more = {"ms": ms, "output": output, "usage": ctx.usage} | ({"kept": True} if kept else {})
        run.emit("step.succeeded", frame, step, attempt=ctx.attempt, **more)
    _hand_on(run, frame, step, out, ready)
    if ctx.usage is not None:
        spend(run, frame, step, ctx.usage)


def spend(run: "Running", frame: Frame, step: Step, usage: Usage) -> None:
    """Count what a try has cost, whether it succeeded or not. The run ends when it has cost too much (rule 27)."""
    run.spent += usage.cost_micros
    most = run.limits.cost_micros
    if most is not None and run.spent > most and run.ending is None:
        run.fault = too_dear(run.spent, most, frame.prefix + step.id, frame.iter)
        run.end("failed")


def _hand_on(run: "Running", frame: Frame, step: Step, out: Any, ready: list[int]) -> None:
    kind = step.kind
    if step.result and frame.home.result is None:
        frame.home.result = out
        if kind is not None and kind.early and frame.home is run.top:
            _answer(run, out)
    if frame.outs[step.index] is PENDING:
        if kind is not None and kind.ends:
            leave(run, frame, step, out)
        else:
            frame.settle(step, out, ready)


def _answer(run: "Running", out: Any) -> None:
    """Whoever waits for the answer gets it as soon as it is on record; the run goes on."""
    if (journal := run.journal) is None:
        return
    text = out.text_ if isinstance(out, Later) else run.values.recorded(out, "")
    event = {"type": "run.answered", "run": run.facts.run_id, "output": msgspec.json.decode(text)}
    if run.facts.emit is not None:
        run.facts.emit(event)
    journal.event(event)
    change = RunChange("running", text)
    task = run.loop.create_task(journal.flush(change))
    run.hold()
    task.add_done_callback(run.written)


def failed(
    run: "Running",
    frame: Frame,
    step: Step,
    tries: int,
    attempt: int,
    error: Exception,
    began: float,
    ready: list[int],
    usage: Usage | None = None,
) -> float | None:
    """A try failed. Seconds until the next one, or None when it was the last: then its `on_error` has been done."""
    if usage is not None:
        spend(run, frame, step, usage)
    path = frame.prefix + step.id
    fault = fault_of(step, path, frame.iter, error)
    pause = pause_before_next(step, tries, error)
    if pause is not None:
        run.retries += 1
        if run.retries > run.limits.retries:
            pause, fault = None, no_more_retries(fault, run.limits.retries)
    now = perf_counter()
    ms = (now - began) * 1000
    if pause is not None:
        next_at = time.time() + pause
        run.write(frame, step, "backoff", attempt, fault=fault, next_at=next_at, ms=ms, usage=usage)
        run.usage = added(run.usage, usage)
        if run.watched:
            run.emit("step.retrying", frame, step, attempt=attempt, ms=ms, error=fault.message)
        return pause
    handled = step.on_error != "stop"
    if not handled and run.journal is not None and unknown(step, error):
        doubt(run, frame, step, attempt, ms, fault.message)
        return None
    out = instead(step, fault)
    output = run.values.recorded(out, path) if out is not None and run.journal is not None else None
    more: dict[str, Any] = {"fault": fault, "handled": handled, "output": output, "ms": ms, "usage": usage}
    run.write(frame, step, "failed", attempt, **more)
    run.note(Done(frame, step, "failed", attempt, began, now, out, fault, usage))
    if run.watched:
        run.emit("step.failed", frame, step, attempt=attempt, ms=ms, error=fault.message)
    if handled:
        if frame.outs[step.index] is PENDING:
            frame.settle(step, out, ready)
    elif not frame.over:
        frame.fault, frame.error = fault, error
        run.cancel(frame)
    return None


def called_off(run: "Running", frame: Frame, step: Step, attempt: int, ms: float) -> None:
    """The step was stopped in the middle. If it must not happen twice, nobody knows whether it happened."""
    sure = step.replayed or step.effect not in GUARDED
    if run.ending not in ("queued", "waiting"):
        run.write(frame, step, "cancelled" if sure else "in_doubt", attempt, ms=ms)


def inline_failed(
    run: "Running", frame: Frame, step: Step, error: Exception, began: float, ready: list[int], usage: Usage | None
) -> None:
    pause = failed(run, frame, step, 1, 1, error, began, ready, usage)
    if pause is not None:
        run.launch(frame, step, attempt=2, tries=1, pause=pause)


def skipped(run: "Running", frame: Frame, step: Step) -> None:
    now = perf_counter()
    run.note(Done(frame, step, "skipped", 0, now, now))
    row = run.rows.pop((frame.prefix + step.id, frame.iter), None)
    if row is None or row.status in UNSETTLED:
        run.write(frame, step, "skipped", 0, pure=True)
    if run.watched:
        run.emit("step.skipped", frame, step)
