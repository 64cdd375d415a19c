"""The express lane: a run in memory, in the process that received the request.

Its whole record is written afterwards, in one piece and before the answer goes out (flows/ledger/commit.py).
A crash means: no answer, so the caller asks again.
"""

import asyncio
import time
from collections.abc import Callable
from time import perf_counter
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from flows.done import Done, added
from flows.ledger.protocol import Fault
from flows.limits import Limits
from flows.plan import Plan
from flows.running import FlowOf, Running
from flows.sdk.capabilities import Usage
from flows.sdk.context import RunFacts
from flows.sdk.errors import NodeError
from flows.sdk.logs import LogLine
from flows.stored import INLINE, MARK, NOTHING, Values, record_of, too_much
from flows.straight import Passed, go_on, walk

ExpressStatus = Literal["succeeded", "failed", "cancelled"]
RunContext = RunFacts
"""What the host gives: ids, trigger, deadline, capabilities. `input` and `emit` are set by run_express."""
LIMITS = Limits()
_encode = msgspec.json.Encoder().encode
_MARK = MARK.encode()


class StepRecord(Struct, frozen=True, omit_defaults=True):
    """One step as the run page shows it. `began`: ms since the run began; `ms`: how long it took.

    `kept`: its result was kept from a run before (rule 90); `logs`: what it said. Unset where that is not so, to keep
    records small.
    """

    node: str
    status: Literal["succeeded", "failed", "skipped"]
    iter: str = ""
    attempt: int = 1
    began: float = 0
    ms: float = 0
    output: Any = None
    fault: Fault | None = None
    handled: bool = False
    effect: str = "pure"
    usage: Usage | None = None
    kept: bool | UnsetType = UNSET
    logs: list[LogLine] | UnsetType = UNSET


class Record(Struct, frozen=True):
    """A finished express run. `steps` in order of ending; `steps_json` is the same, encoded, ready to be stored.

    `values`: large ones that `steps` only names; they have to be in storage before. `output` is whole in any case.
    """

    run_id: str
    status: ExpressStatus
    input: Any
    output: Any
    fault: Fault | None
    started_at: float
    ms: float
    usage: Usage | None
    steps: list[StepRecord]
    steps_json: bytes
    workspace_id: str = ""
    flow_id: str = ""
    version_id: str = ""
    trigger: str = ""
    values: Values = NOTHING

    @property
    def output_json(self) -> bytes | None:
        return None if self.output is None else msgspec.json.encode(self.output)


async def run_express(
    plan: Plan,
    input: Any,
    *,
    context: RunFacts,
    listen: Callable[[dict[str, Any]], None] | None = None,
    limits: Limits | None = None,
    flow_of: FlowOf | None = None,
    cancelled: asyncio.Event | None = None,
) -> Record:
    """Run a plan to its end and give its record; steps that fail make a failed record, not an exception.

    Raises ValueError for a plan that may not run here (`plan.quick`): it waits, or a step must not happen twice. A flow
    it calls that may not run here fails the step that calls it: the host asks before (`plan.calls`).
    """
    if not plan.quick:
        raise ValueError("This flow needs the durable lane: it waits, or has a step that must not happen twice.")
    context.input, context.emit = input, listen
    limits = limits or LIMITS
    started_at, began = time.time(), perf_counter()
    walked = None
    if plan.straight and listen is None and len(plan.straight) <= limits.steps and ":" not in context.trigger:
        walked = walk(plan, context)
        if walked.trouble is None:
            steps = _passed(walked.passed, began)
            return _record(context, "succeeded", walked.result, None, started_at, began, steps, None, limits)
    try:
        run = Running(plan, context, limits=limits, flow_of=flow_of)
    except NodeError as error:
        return _record(context, "failed", None, Fault(error.message), started_at, began, [], None, limits)
    if listen is not None:
        listen({"type": "run.started", "run": context.run_id})
    if walked is not None and walked.trouble is not None:
        go_on(run, walked, walked.trouble)
    else:
        run.start(run.top)
    if run.ending is None:
        await _finish(run, context, cancelled)
    if run.broken is not None:
        raise run.broken
    record = _outcome(run, context, started_at, began, limits)
    if listen is not None:
        listen(_last_event(record))
    return record


def _outcome(run: Running, context: RunFacts, started_at: float, began: float, limits: Limits) -> Record:
    status: ExpressStatus = "succeeded" if run.ending == "succeeded" else "failed"
    fault = run.fault or run.top.fault
    if run.ending == "cancelled":
        status, fault = "cancelled", None
    elif run.ending == "waiting":  # nothing can wait here, so nothing is left that could wake it
        fault = Fault("The run came to a standstill. This is a defect of Agentbase; please report it with this flow.")
    usage = run.usage  # of tries that were repeated
    for done in run.done:
        if done.usage is not None:
            usage = added(usage, done.usage)
    steps = [_step(done, began) for done in run.done]
    return _record(context, status, run.top.result, fault, started_at, began, steps, usage, limits)


async def _finish(run: Running, context: RunFacts, cancelled: asyncio.Event | None) -> None:
    """Wait for the steps that take time, within the deadline, until somebody cancels."""

    def too_late() -> None:
        run.fault = Fault(
            "The run took longer than its time limit. Raise the limit, or make it do less.", kind="Deadline"
        )
        run.end("failed")

    async def on_cancel(event: asyncio.Event) -> None:
        await event.wait()
        run.end("cancelled")

    timer = None
    if context.deadline is not None:
        timer = run.loop.call_later(max(0.0, context.deadline - time.time()), too_late)
    watcher = run.loop.create_task(on_cancel(cancelled)) if cancelled is not None else None
    try:
        await run.wait()
    finally:
        if timer is not None:
            timer.cancel()
        if watcher is not None:
            watcher.cancel()
        await run.sweep_up()


def _record(
    context: RunFacts,
    status: ExpressStatus,
    output: Any,
    fault: Fault | None,
    started_at: float,
    began: float,
    steps: list[StepRecord],
    usage: Usage | None,
    limits: Limits,
) -> Record:
    try:
        encoded = _encode(steps)
    except (TypeError, ValueError, OverflowError) as error:
        status, fault, output = "failed", Fault(f"A step gave a value that can't be stored: {error}."), None
        steps, encoded = [], b"[]"
    values = NOTHING
    if context.log is not None and context.log.lines:
        said = context.log.lines
        steps = [_saying(each, said.get((each.node, each.iter)), started_at) for each in steps]
        encoded = _encode(steps)
    if len(encoded) > INLINE or _MARK in encoded:
        try:
            steps, values = stored_steps(steps, limits)
        except NodeError as error:
            status, output, steps = "failed", None, []
            fault = Fault(error.message, error.field)
        encoded = _encode(steps)
    if len(encoded) > limits.record_bytes:
        size, most = len(encoded) / 1_048_576, limits.record_bytes / 1_048_576
        status, output = "failed", None
        fault = Fault(f"The steps of this run gave {size:.1f} MB; at most {most:.0f} MB are kept. Make them smaller.")
        steps, encoded = [], b"[]"
    return Record(
        context.run_id,
        status,
        context.input,
        output if status == "succeeded" else None,
        fault,
        started_at,
        (perf_counter() - began) * 1000,
        usage,
        steps,
        encoded,
        context.workspace_id,
        context.flow_id,
        context.version_id,
        context.trigger,
        values,
    )


def _saying(step: StepRecord, lines: list[LogLine] | None, started_at: float) -> StepRecord:
    if lines is None:
        return step
    told = [msgspec.structs.replace(line, at=0, began=(line.at - started_at) * 1000) for line in lines]
    return msgspec.structs.replace(step, logs=told)


def stored_steps(steps: list[StepRecord], limits: Limits) -> tuple[list[StepRecord], Values]:
    """The same with large values named instead of held, and these values. Raises NodeError for one that is too large.

    All of them together count against `limits.value_bytes`, because a run of this lane has them all in memory.
    """
    values: dict[str, bytes] = {}
    small = []
    for step in steps:
        text, own = record_of(step.output, limits, step.node) if step.output is not None else ("", NOTHING)
        values |= own
        small.append(msgspec.structs.replace(step, output=msgspec.json.decode(text)) if own else step)
    if sum(map(len, values.values())) > limits.value_bytes:
        raise too_much(limits.value_bytes)
    return small, values


def _ms(seconds: float) -> float:
    """Whole microseconds: the digits behind them are noise, and noise is what PostgreSQL can't compress (a fifth more
    runs a second with 50 steps).
    """
    return round(seconds * 1000, 3)


def _passed(passed: list[Passed], began: float) -> list[StepRecord]:
    """Each step begins where the one before it ended. Whole microseconds, as `_ms` gives them, in half the time that
    `round` takes.
    """
    records = []
    start = int((passed[0].began - began) * 1e6 + 0.5) if passed else 0
    for one in passed:
        step, end = one.step, int((one.ended - began) * 1e6 + 0.5)
        records.append(
            StepRecord(
                step.id, "succeeded", "", 1, start / 1000, (end - start) / 1000, one.out, None, False, step.effect
            )
        )
        start = end
    return records


def _step(done: Done, began: float) -> StepRecord:
    frame, step = done.frame, done.step
    return StepRecord(
        frame.prefix + step.id if frame.prefix else step.id,
        done.status,
        frame.iter,
        done.attempt,
        _ms(done.began - began),
        _ms(done.ended - done.began),
        done.out,
        done.fault,
        done.fault is not None and step.on_error != "stop",
        step.effect,
        done.usage,
        done.kept or UNSET,
    )


def _last_event(record: Record) -> dict[str, Any]:
    event: dict[str, Any] = {"type": f"run.{record.status}", "run": record.run_id, "ms": record.ms}
    if record.output is not None:
        event["output"] = msgspec.to_builtins(record.output)
    if record.fault is not None:
        event |= {"error": record.fault.message, "node": record.fault.node}
    if record.usage is not None:
        event["usage"] = msgspec.to_builtins(record.usage)
    return event
