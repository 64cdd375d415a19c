"""Taking up a run again: what the ledger knows about a step is not done again (rule 63); values a person put in."""

import copy
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec

from flows.breaks import released
from flows.done import Done
from flows.doubts import can_ask, doubt
from flows.frame import Frame
from flows.leaving import leave
from flows.ledger.protocol import Fault, StepRow
from flows.plan import Failed, InPort, Link, Step, maker
from flows.sdk.errors import NodeError
from flows.sdk.ports import Port
from flows.stored import Later, outputs_of
from flows.undoing import Armed

if TYPE_CHECKING:
    from flows.running import Running


def taken_over(run: "Running", frame: Frame, step: Step, ready: list[int]) -> bool:
    """What the ledger knows about this step is taken over. True when nothing is left to do for it now."""
    row = run.rows.pop((frame.prefix + step.id, frame.iter), None)
    if row is None:
        return False
    if row.edits:
        step = edited(step, row.edits)
    if row.status == "skipped":  # and yet it is ready: a join that had its value already called it off
        frame.settle(step, None, ready)
        return True
    if row.status == "succeeded" or (row.status == "failed" and row.handled):
        _settle(run, frame, step, row, ready)
        return True
    if row.status == "failed" and not run.again and row.fault is not None:
        _fail(run, frame, step, row, row.fault)
        return True
    if row.status == "waiting" and row.wait is not None:
        run.pauses.put_aside(frame, step, row.attempt, row.wait, row.next_at)
    elif row.status == "backoff":
        run.pauses.put_aside(frame, step, row.attempt, None, row.next_at or 0.0)
    elif row.status == "ready" and run.breaks is not None and not released(row) and run.breaks.stops(frame, step):
        run.breaks.pause(frame, step)
    elif row.status == "started" and step.effect == "probe" and not can_ask(step):
        doubt(run, frame, step, row.attempt, 0)
    else:
        asking = row.status == "started" and step.effect == "probe"
        run.launch(frame, step, row.attempt + 1, signal=None if released(row) else row.signal, asking=asking)
    return True


def edited(step: Step, edits: dict[str, Any]) -> Step:
    """This step with values in the place of what its wires carry, for this run alone. `edits`: plain JSON by port.

    Raises NodeError(field=port) for a port the step does not have and for a value of another kind than the port takes.
    """
    made = copy.copy(step)
    known = {port.name: port for port in step.kind.ports(step.settings).inputs} if step.kind is not None else {}
    for name in edits:
        if name not in known:
            raise NodeError(f"Step '{step.label}' has no input '{name}'.", field=name)
    fed = tuple(_fed(known[name], value, step) for name, value in edits.items())
    made.ports = (*fed, *(port for port in step.ports if port.name not in edits))
    made.make = maker(step.inputs, made.ports, step.label)
    return made


def _fed(port: Port, value: Any, step: Step) -> InPort:
    kinds = {field.name: field.type for field in msgspec.structs.fields(step.inputs)}
    kind = kinds.get(port.name, Any)
    try:
        fitting = msgspec.convert(value, kind)
    except msgspec.ValidationError as misfit:
        raise NodeError(f"'{port.name}' of step '{step.label}': {misfit}.", field=port.name) from None
    values = fitting if port.many and isinstance(fitting, list) else [fitting]
    links = tuple(Link(step.index, _constant(each), port.name, "what was put in") for each in values)
    return InPort(port.name, port.required, port.many, links)


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _fail(run: "Running", frame: Frame, step: Step, row: StepRow, fault: Fault) -> None:
    """It failed for good before the run slept or its worker died: that was dealt with, and is not repeated."""
    now = perf_counter()
    run.note(Done(frame, step, "failed", row.attempt, now, now, None, fault))
    frame.fault, frame.error = fault, NodeError(fault.message, field=fault.field)
    run.cancel(frame)


def _settle(run: "Running", frame: Frame, step: Step, row: StepRow, ready: list[int]) -> None:
    out = None
    if row.output is not None:
        kind = Failed if row.status == "failed" and step.on_error in ("wire", "continue") else step.outputs
        if step.kind is not None and step.kind.undo:
            kind = Armed
        out = outputs_of(row.output, kind)
        run.values.awaited = run.values.awaited or isinstance(out, Later)
    now = perf_counter()
    run.note(Done(frame, step, "succeeded", row.attempt, now, now, out, row.fault))
    if step.result and frame.home.result is None and row.status == "succeeded":
        frame.home.result = out
    if step.kind is not None and step.kind.ends and row.status == "succeeded":
        leave(run, frame, step, out)
    else:
        frame.settle(step, out, ready)
