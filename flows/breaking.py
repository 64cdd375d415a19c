"""Doing what breakpoints say: a step that is ready waits until somebody has looked at it (rules 110 to 117).

A pause is a wait like any other: on record, without a worker, over when its time is up. What the person says arrives
as a signal.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from flows.breaks import BREAK, Breaks, Verdict, is_paused
from flows.coerce import Misfit
from flows.frame import PENDING, Frame
from flows.ledger.protocol import Fault, StepRow
from flows.plan import Step
from flows.resuming import edited
from flows.sdk.context import Signal, Wait
from flows.sdk.ports import AFTER
from flows.stored import Later

if TYPE_CHECKING:
    from flows.pauses import Parked
    from flows.running import Running

MOST_SHOWN = 1_000_000
"""Bytes of JSON of the inputs that are kept with the pause, to be looked at."""


class Breakpoints:
    """Of one run while it is being executed."""

    __slots__ = ("_hit", "_run", "breaks")

    def __init__(self, run: "Running", breaks: Breaks, rows: Iterable[StepRow]) -> None:
        self._run = run
        self.breaks = breaks
        self._hit = set(breaks.hit) | {row.node for row in rows if is_paused(row)}

    def stops(self, frame: Frame, step: Step) -> bool:
        """Whether the run pauses before this step, which is ready. Steps of called flows are not the person's own."""
        kind = step.kind
        if frame.prefix or kind is None or kind.trigger or kind.undo:
            return False
        how = self.breaks.at.get(step.id)
        return self.breaks.every or how == "each" or (how == "first" and step.id not in self._hit)

    def pause(self, frame: Frame, step: Step) -> None:
        run = self._run
        self._hit.add(step.id)
        wait = Wait(
            self.breaks.patience,
            signal=BREAK,
            title="Paused before this step",
            asks=False,
            data=arriving(frame, step),
        )
        run.pauses.park(frame, step, 0, wait)
        if run.journal is not None:  # told at once, although other branches may go on for long
            run.hold()
            run.loop.create_task(run.journal.flush()).add_done_callback(run.written)

    def go_on(self, parked: "Parked", signal: Signal | None) -> None:
        """Somebody said how (None: nobody did in time). The step begins, is skipped, or the run ends."""
        run, frame, step = self._run, parked.frame, parked.step
        if signal is None:
            minutes = f"{self.breaks.patience / 60:g}"
            words = f"Nobody went on within {minutes} minutes of the pause, so the run was ended. Run it again."
            run.write(frame, step, "cancelled", 0, pure=True)
            run.fault = Fault(words, "", frame.prefix + step.id, frame.iter, "Breakpoint")
            return run.end("cancelled")
        if run.journal is not None:
            run.journal.use(signal)
        try:
            said = msgspec.convert(signal.data or {}, Verdict)
            step = edited(step, said.edits) if said.edits else step
        except Exception as error:  # never from our own verb, which looks at the values first: a defect, told as such
            run.broken = run.broken or error
            return run.end("failed")
        self.breaks = said.breaks or self.breaks
        self._hit |= set(self.breaks.hit)
        if frame.outs[step.index] is not PENDING:
            return None  # a join called it off meanwhile
        run.hold()
        if said.do == "skip":
            run.skip(frame, step)
        else:
            run.write(frame, step, "ready", 0, signal=signal)
            run.launch(frame, step)
        run.loop.call_soon(run.release)
        return None


def arriving(frame: Frame, step: Step) -> dict[str, Any]:
    """What would go into the step, by port; `error` where a value does not fit: it can be edited.

    Without `inputs` when they are large or in storage: then the record of the steps before says what they are.
    """
    found: dict[str, Any] = {}
    error = ""
    if any(isinstance(frame.outs[link.source], Later) for port in step.ports for link in port.links):
        return {}
    for port in step.ports:
        if port.name == AFTER:
            continue
        try:
            values = port.values(frame.outs, step.label)
        except Misfit as misfit:
            error = error or misfit.message
            values = [value for link in port.links if (value := link.read(frame.outs[link.source])) is not UNSET]
        if port.many:
            found[port.name] = values
        elif values:
            found[port.name] = values[0]
    shown = {"inputs": msgspec.to_builtins(found)}
    if len(msgspec.json.encode(shown)) > MOST_SHOWN:
        shown = {}
    return shown | ({"error": error} if error else {})
