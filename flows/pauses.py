"""Steps that wait without a worker, and what ends their waiting: time, or a signal (rules 50 to 56)."""

import asyncio
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from flows.breaks import BREAK
from flows.frame import PENDING, Frame
from flows.plan import Step
from flows.sdk.context import TIME, Signal, Wait

if TYPE_CHECKING:
    from flows.running import Running

Key = tuple[str, str]
"""Path and rounds of a step: what a run has once."""


class Parked(Struct):
    """A step that waits without a worker."""

    frame: Frame
    step: Step
    attempt: int
    wait: Wait | None
    next_at: float | None
    timer: asyncio.TimerHandle | None = None


class Pauses:
    """Of one run. `signals`: those that came and that no step has waited for yet.

    `asleep`: what waited when the run was put to sleep. Frames of rounds and called flows are called off right after,
    and then it can't be told any more.
    """

    __slots__ = ("_run", "asleep", "parked", "signals")

    def __init__(self, run: "Running", signals: list[Signal]) -> None:
        self._run = run
        self.parked: dict[Key, Parked] = {}
        self.asleep: list[Parked] = []
        self.signals = signals

    def park(self, frame: Frame, step: Step, attempt: int, wait: Wait) -> None:
        next_at = wait.until.timestamp() if wait.until is not None else None
        if wait.seconds is not None:
            next_at = min(next_at or float("inf"), time.time() + max(0.0, wait.seconds))
        self._run.write(frame, step, "waiting", attempt, wait=wait, next_at=next_at)
        if self._run.watched:
            kind = "breakpoint" if wait.signal == BREAK else "person" if wait.signal and wait.asks else "clock"
            self._run.emit("step.waiting", frame, step, attempt=attempt, text=wait.title, waits=kind)
        self.put_aside(frame, step, attempt, wait, next_at)

    def put_aside(self, frame: Frame, step: Step, attempt: int, wait: Wait | None, next_at: float | None) -> None:
        key = (frame.prefix + step.id, frame.iter)
        parked = self.parked[key] = Parked(frame, step, attempt, wait, next_at)
        came = next((s for s in self.signals if wait is not None and _meant(s, wait, key)), None)
        if came is not None:
            self.signals.remove(came)
        if came is not None or (next_at is not None and next_at <= time.time()):
            self._run.hold()  # not idle: this step goes on in a moment
            self._run.loop.call_soon(self.wake, key, came)
            self._run.loop.call_soon(self._run.release)
        elif next_at is not None:
            parked.timer = self._run.loop.call_later(next_at - time.time(), self.wake, key, None)

    def put_aside_for(self, frame: Frame, step: Step, attempt: int, pause: float) -> None:
        """A pause too long to keep a worker for: its `backoff` row is written already."""
        self.put_aside(frame, step, attempt, None, time.time() + pause)

    def wake(self, key: Key, signal: Signal | None) -> None:
        """The time is up (None), or a signal came."""
        if self._run.pausing or self._run.ending is not None or (parked := self.parked.pop(key, None)) is None:
            return
        if parked.timer is not None:
            parked.timer.cancel()
        if parked.frame.over:
            return
        if parked.wait is None:
            self._run.launch(parked.frame, parked.step, parked.attempt + 1, tries=parked.attempt)
        elif self._run.breaks is not None and parked.wait.signal == BREAK:
            self._run.breaks.go_on(parked, signal)
        else:
            self._run.launch(parked.frame, parked.step, parked.attempt, signal=signal or Signal(TIME))

    def deliver(self, signal: Signal) -> None:
        """A signal that came while the run is executed."""
        for key, parked in self.parked.items():
            if parked.wait is not None and _meant(signal, parked.wait, key):
                self.wake(key, signal)
                return
        self.signals.append(signal)

    def forget(self, frame: Frame) -> None:
        """Nothing in this frame waits any more: it was called off, and not merely put to sleep."""
        if self._run.ending in ("queued", "waiting") or self._run.pausing:
            return
        for key, parked in [item for item in self.parked.items() if item[1].frame is frame]:
            del self.parked[key]
            if parked.timer is not None:
                parked.timer.cancel()
            if frame.outs[parked.step.index] is PENDING:
                self._run.write(frame, parked.step, "cancelled", parked.attempt, pure=True)

    def stop(self) -> None:
        """No timer of this run rings any more. What waits now is what the run sleeps for."""
        self.asleep = [parked for parked in self.parked.values() if not parked.frame.over]
        for parked in self.parked.values():
            if parked.timer is not None:
                parked.timer.cancel()


def _meant(signal: Signal, wait: Wait, key: Key) -> bool:
    node, iter = key
    return signal.name == wait.signal and signal.step in ("", f"{node}:{iter}" if iter else node)
