"""One run while it is being executed. The same code for both lanes; the durable one has a journal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Literal

from msgspec import Struct

from flows.breaking import Breakpoints
from flows.breaks import Breaks
from flows.done import Done, added
from flows.fetching import RunValues
from flows.frame import PENDING, Frame
from flows.journal import Journal
from flows.ledger.protocol import Fault, StepChange, StepRow
from flows.limits import Limits, within
from flows.outcomes import GUARDED, inline_failed, returned, skipped
from flows.pauses import Key, Pauses
from flows.plan import Edge, Plan, Step
from flows.resuming import taken_over
from flows.sdk.capabilities import Usage
from flows.sdk.context import TIME, Context, RunFacts, Signal
from flows.sdk.errors import NodeError
from flows.undoing import UNDO, armed_rows, late

Ending = Literal["succeeded", "failed", "cancelled", "waiting", "in_doubt", "queued"]
FlowOf = Callable[[RunFacts, str], Awaitable[Plan]]
RoundsOf = Callable[[Sequence[str]], Awaitable[Sequence[StepRow]]]


class Before(Struct, frozen=True):
    """What earlier claims of a run have used: tries beyond the first, bytes of large values."""

    repeats: int = 0
    stored_bytes: int = 0


class Running:
    """`busy` counts what can still make progress by itself: when it falls to 0, the run sleeps or is over.

    `inner`: the open rounds and sub-flows, each with the frame and the step it belongs to.
    """

    def __init__(  # noqa: PLR0913
        self,
        plan: Plan,
        facts: RunFacts,
        *,
        journal: Journal | None = None,
        rows: Mapping[Key, StepRow] | None = None,
        signals: list[Signal] | None = None,
        flow_of: FlowOf | None = None,
        limits: Limits | None = None,
        again: bool = False,
        usage: Usage | None = None,
        breaks: Breaks | None = None,
        rounds: RoundsOf | None = None,
        before: Before | None = None,
    ) -> None:
        """`again`: the run had failed, and what failed in it is done once more. `usage`: of its tries until now.

        `breaks`: where it pauses (rule 110); None: nowhere. `rounds`: gives what is on record of rounds, for a run that
        is taken up; `before`: what it has used until now.
        """
        self.facts = facts
        self.journal = journal
        self.rows = dict(rows or {})
        self.pauses = Pauses(self, list(signals or []))
        self.breaks = Breakpoints(self, breaks, self.rows.values()) if breaks is not None else None
        self.flow_of = flow_of
        self.again = again
        self.armed = armed_rows(self.rows) if self.rows else {}
        self.limits = within(limits or Limits(), plan)
        before = before or Before()
        self.values = RunValues(journal, self.limits, self.rows.values(), before.stored_bytes)
        self.rounds_of = rounds
        self.recalled: dict[Key, int] = {}
        self.done: list[Done] = []
        self.guarded: dict[asyncio.Task[None], tuple[Frame, int]] = {}
        self.inner: dict[Frame, tuple[Frame, Step]] = {}
        self.steps = 0
        self.retries = before.repeats
        self.spent = usage.cost_micros if usage is not None else 0
        self.busy = 0
        self.usage = usage
        self.pausing = False
        self.ending: Ending | None = None
        self.fault: Fault | None = None
        self.error: BaseException | None = None
        self.broken: BaseException | None = None
        self.ended: asyncio.Future[None] | None = None
        self.loop = asyncio.get_running_loop()
        # What began later has a later time on record, whatever happened between looking at one clock and the other.
        self.zero = time.time() - perf_counter()
        self.watched = facts.emit is not None or journal is not None
        self.top = self.frame(plan, facts)

    # --- frames

    def frame(self, plan: Plan, facts: RunFacts, iter: str = "", prefix: str = "", home: Frame | None = None) -> Frame:
        made = Frame(plan, facts, iter, prefix, home)
        made.on_skip = self.skipped
        self.steps += made.left
        if self.steps > self.limits.steps:
            raise NodeError(
                f"This run has more than {self.limits.steps:,} steps, counting every round. Split the work."
            )
        return made

    def start(self, frame: Frame, edge: Edge | None = None) -> None:
        self.go(frame, frame.begin(edge))

    def go(self, frame: Frame, ready: list[int]) -> None:
        """Run what is ready: at once where the function never suspends, else in a task. `ready` grows while we walk."""
        steps, journal = frame.plan.steps, self.journal
        began = perf_counter()
        for i in ready:
            if frame.over or self.pausing:
                if frame.over and journal is not None and self.ending not in ("waiting", "queued"):
                    late(self, frame, ready)
                break
            step = steps[i]
            if frame.outs[i] is not PENDING:
                continue  # a join called it off since
            if self.rows and taken_over(self, frame, step, ready):
                continue
            if self.breaks is not None and self.breaks.stops(frame, step):
                self.breaks.pause(frame, step)
                continue
            if self.values.awaited and self.values.missing(frame, step):
                self.launch(frame, step)
                continue
            if not step.inline or (journal is not None and (step.effect != "pure" or journal.owed)):
                if step.kind is not None and step.kind.undo:  # armed in the same write as what it undoes
                    began = self._inline(frame, step, began, ready)
                else:
                    self.launch(frame, step)
                continue
            began = self._inline(frame, step, began, ready)
        if frame.over:
            self.close(frame)

    def _inline(self, frame: Frame, step: Step, began: float, ready: list[int]) -> float:
        """Run a function that never suspends; gives the time it ended, which is when the next one begins."""
        path = frame.prefix + step.id if frame.prefix else step.id
        ctx = Context(frame.facts, path, frame.iter, 1, step.needs)
        if self.watched:
            self.emit("step.started", frame, step, attempt=1)
        try:
            if step.fill is None:
                step.fn(step.settings, step.make(frame.outs), ctx).send(None)
            else:
                step.fn(*step.prepare(frame.outs, frame.facts), ctx).send(None)
        except StopIteration as stop:
            out = stop.value
        except Exception as error:
            inline_failed(self, frame, step, error, began, ready, ctx.usage)
            return perf_counter()
        now = perf_counter()
        if out.__class__ is step.outputs and not self.watched:
            self.done.append(Done(frame, step, "succeeded", 1, began, now, out, None, ctx.usage))
            if step.result and frame.home.result is None:
                frame.home.result = out
            frame.settle(step, out, ready)
        else:
            returned(self, frame, step, ctx, out, began, ready)
        return now

    def close(self, frame: Frame) -> None:
        if frame is self.top:
            self.end("failed" if frame.fault else "succeeded")
        elif frame.on_end is not None:
            on_end, frame.on_end = frame.on_end, None
            on_end(frame)

    def cancel(self, frame: Frame) -> None:
        """Stop everything in this frame. Steps of it that waited wait no more."""
        frame.cancel()
        self.pauses.forget(frame)

    def written(self, task: "asyncio.Task[None]") -> None:
        """A flush that nobody waits for has ended."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken = self.broken or error
            self.end("failed")
        self.release()

    def skipped(self, frame: Frame, step: Step) -> None:
        skipped(self, frame, step)

    def skip(self, frame: Frame, step: Step) -> None:
        """Leave out a step that was ready: its outputs are silent."""
        ready: list[int] = []
        self.skipped(frame, step)
        frame.settle(step, None, ready)
        self.go(frame, ready)

    # --- tasks

    def launch(
        self,
        frame: Frame,
        step: Step,
        attempt: int = 1,
        tries: int = 0,
        signal: Signal | None = None,
        pause: float = 0.0,
        asking: bool = False,
    ) -> None:
        """Start a step in a task of its own. `tries`: failed ones so far (a crash is an attempt, not a failed try).

        `asking`: nobody knows how the try before ended, so the step's probe is asked first.
        """
        from flows.step import perform

        if not pause:
            self.started(frame, step, attempt, signal)
        task = self.loop.create_task(perform(self, frame, step, attempt, tries, signal, pause, asking))
        self.busy += 1
        if step.effect in GUARDED and not step.replayed:
            self.guarded[task] = (frame, step.index)
        else:
            frame.tasks[step.index] = task
        task.add_done_callback(lambda done: self._task_over(frame, step, done))

    def started(self, frame: Frame, step: Step, attempt: int, signal: Signal | None) -> None:
        """A step with effects is on record before it begins."""
        if signal is not None and self.journal is not None and signal.name != TIME:
            self.journal.use(signal)
        if step.effect != "pure" and not step.replayed:
            self.write(frame, step, "started", attempt, signal=signal, started_at=self.zero + perf_counter())

    def _task_over(self, frame: Frame, step: Step, task: "asyncio.Task[None]") -> None:
        self.guarded.pop(task, None)
        if frame.tasks.get(step.index) is task:
            del frame.tasks[step.index]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken = self.broken or error
            self.end("failed")
        self.release()

    def hold(self) -> None:
        self.busy += 1

    def release(self) -> None:
        self.busy -= 1
        if self.busy == 0:
            self.loop.call_soon(self._idle)

    def _idle(self) -> None:
        if self.busy == 0 and self.ending is None:
            self.end("queued" if self.pausing else "waiting")

    # --- the end

    def end(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            if self.ended is not None and not self.ended.done():
                self.ended.set_result(None)

    async def wait(self) -> None:
        """Until the run ended, sleeps, or was stopped."""
        if self.ending is None:
            self.ended = self.loop.create_future()
            if self.busy == 0:
                self._idle()
            await self.ended

    async def sweep_up(self) -> None:
        """Stop what still runs; steps that must not happen twice get `grace` seconds to finish."""
        self.pauses.stop()
        self.top.over = True
        tasks = [task for frame in (self.top, *self.inner) for task in frame.tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self.guarded:
            _, late = await asyncio.wait(set(self.guarded), timeout=self.limits.grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    # --- small things

    def emit(self, type: str, frame: Frame, step: Step, **more: Any) -> None:
        event = {"type": type, "run": self.facts.run_id, "node": frame.prefix + step.id, "iter": frame.iter, **more}
        if self.facts.emit is not None:
            self.facts.emit(event)
        if self.journal is not None:
            self.journal.event(event)

    def write(self, frame: Frame, step: Step, status: Any, attempt: int, *, pure: bool = False, **more: Any) -> None:
        if self.journal is None:
            return
        path = frame.prefix + step.id
        effect = "pure" if pure or step.replayed else UNDO if step.kind is not None and step.kind.undo else step.effect
        self.journal.add(StepChange(path, frame.iter, status, attempt, effect, **more))

    def note(self, done: Done) -> None:
        """Express keeps every step for its record; the durable lane has written it and keeps only what was used."""
        if self.journal is None:
            self.done.append(done)
        elif done.usage is not None:
            self.usage = added(self.usage, done.usage)
