"""Taking up a run again: what the ledger knows about a step is not done again (rule 63)."""

from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from flows.done import Done
from flows.frame import Frame
from flows.ledger.protocol import StepRow
from flows.plan import Failed, Step

if TYPE_CHECKING:
    from flows.running import Running


def taken_over(run: "Running", frame: Frame, step: Step, ready: list[int]) -> bool:
    """What the ledger knows about this step is taken over. True when nothing is left to do for it now."""
    row = run.rows.pop((frame.prefix + step.id, frame.iter), None)
    if row is None:
        return False
    if row.status == "skipped":  # and yet it is ready: a join that had its value already called it off
        frame.settle(step, None, ready)
        return True
    if row.status == "succeeded" or (row.status == "failed" and row.handled):
        _settle(run, frame, step, row, ready)
        return True
    if row.status == "waiting" and row.wait is not None:
        run.pauses.put_aside(frame, step, row.attempt, row.wait, row.next_at)
    elif row.status == "backoff":
        run.pauses.put_aside(frame, step, row.attempt, None, row.next_at or 0.0)
    else:
        run.launch(frame, step, row.attempt + 1, signal=row.signal)
    return True


def _settle(run: "Running", frame: Frame, step: Step, row: StepRow, ready: list[int]) -> None:
    out = None
    if row.output is not None:
        kind = Failed if row.status == "failed" and step.on_error == "wire" else step.outputs
        out = msgspec.json.decode(row.output, type=kind)
    now = perf_counter()
    run.note(Done(frame, step, "succeeded", row.attempt, now, now, out, row.fault, row.usage))
    if step.result and frame.home.result is None and row.status == "succeeded":
        frame.home.result = out
    frame.settle(step, out, ready)
