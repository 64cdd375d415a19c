"""One step in a task of its own: its tries, its time limit, and the rounds of a container."""

import asyncio
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

import msgspec
from msgspec import UNSET

from flows.failing import TookTooLong
from flows.frame import PENDING, Frame
from flows.plan import Edge, Step
from flows.running import Running
from flows.sdk.context import Context, Round, RunFacts, Signal
from flows.sdk.errors import NodeError
from flows.sdk.values import Json

BREATH = 64
"""Rounds after which a container lets others run, when nothing in them ever waits."""


async def perform(
    run: Running, frame: Frame, step: Step, attempt: int, tries: int, signal: Signal | None, pause: float
) -> None:
    """Try until it succeeds, fails for good, waits, or is called off. Faults of the engine itself are raised."""
    ready: list[int] = []
    while True:
        if pause:
            if run.pausing:
                return
            await asyncio.sleep(pause)
            run.started(frame, step, attempt, signal)
        if run.journal is not None and (run.journal.owed or not (step.effect == "pure" or step.replayed)):
            await run.journal.flush()
        if run.watched:
            run.emit("step.started", frame, step, attempt=attempt)
        began = perf_counter()
        ctx = _context(run, frame, step, attempt, signal)
        try:
            out = await _call(step, frame, ctx)
        except asyncio.CancelledError:
            if frame.outs[step.index] is PENDING:
                run.called_off(frame, step, attempt, (perf_counter() - began) * 1000)
            raise
        except Exception as error:
            tries += 1
            again = run.failed(frame, step, tries, attempt, error, began, ready)
            if again is None:
                break
            if run.journal is not None and (again > run.limits.hold or run.pausing):
                run.pauses.put_aside_for(frame, step, attempt, again)
                return
            attempt, pause = attempt + 1, max(again, 1e-6)
        else:
            run.returned(frame, step, ctx, out, began, ready)
            break
    run.go(frame, ready)


async def _call(step: Step, frame: Frame, ctx: Context) -> Any:
    if step.timeout is None:
        return await step.fn(*step.prepare(frame.outs, frame.facts), ctx)
    try:
        async with asyncio.timeout(step.timeout) as limit:
            return await step.fn(*step.prepare(frame.outs, frame.facts), ctx)
    except TimeoutError:
        if limit.expired():
            raise TookTooLong(step) from None
        raise


def _context(run: Running, frame: Frame, step: Step, attempt: int, signal: Signal | None) -> Context:
    ctx = Context(frame.facts, frame.prefix + step.id, frame.iter, attempt, step.needs, signal, step.answer)
    if step.body is not None:
        ctx._body = Rounds(run, frame, step)
    if step.kind is not None and step.kind.subflow:

        async def flow(version_id: str, input: Mapping[str, Json]) -> Json:
            return await _sub_flow(run, frame, step, version_id, input)

        ctx._flow = flow
    return ctx


class Rounds:
    """`ctx.body` of a container step."""

    def __init__(self, run: Running, frame: Frame, step: Step) -> None:
        self.run, self.frame, self.step = run, frame, step
        self.open: dict[int, Frame] = {}
        self.ended: dict[int, Round] = {}
        self.failed = False
        self.waiter: asyncio.Future[None] | None = None
        self.outside = {
            key: value for key, link in step.captures if (value := link.read(frame.outs[link.source])) is not UNSET
        }

    async def round(self, index: int, values: Mapping[str, Json]) -> Round:
        try:
            self._start(index, values)
            while index in self.open:
                await self._change()
        except asyncio.CancelledError:
            self._cancel()
            raise
        return self.ended.pop(index)

    async def rounds(self, values: Iterable[Mapping[str, Json]], at_once: int, stop_on_error: bool) -> list[Round]:
        count = 0
        try:
            for value in values:
                if count >= self.run.limits.items:
                    raise NodeError(
                        f"This list has more than {self.run.limits.items:,} items. Split it.", field="items"
                    )
                self._start(count, value)
                count += 1
                if count % BREATH == 0:
                    await asyncio.sleep(0)
                    if self.run.journal is not None and self.run.journal.full:
                        await self.run.journal.flush()
                while len(self.open) >= at_once:
                    await self._change()
                if stop_on_error and self.failed:
                    break
            while self.open and not (stop_on_error and self.failed):
                await self._change()
        except BaseException:
            self._cancel()
            raise
        self._cancel()
        rounds = [self.ended[i] for i in range(count) if i in self.ended]
        self.ended = {}
        return rounds

    def _start(self, index: int, values: Mapping[str, Json]) -> None:
        outer, body = self.frame, self.step.body
        if body is None:
            raise AssertionError("only a container has rounds")
        iter = f"{outer.iter}.{index}" if outer.iter else str(index)
        frame = self.run.frame(body, outer.facts, iter, outer.prefix, outer.home)
        self.open[index] = frame
        frame.on_end = lambda ended: self._end(index, ended)
        self.run.start(frame, Edge({**self.outside, **values}))

    def _end(self, index: int, frame: Frame) -> None:
        del self.open[index]
        self.ended[index] = _round(frame)
        self.failed = self.failed or frame.fault is not None
        if self.waiter is not None and not self.waiter.done():
            self.run.hold()
            self.waiter.set_result(None)

    async def _change(self) -> None:
        """Until a round ends. Meanwhile this step does not count as busy: the steps inside do."""
        self.waiter = asyncio.get_running_loop().create_future()
        self.run.release()
        try:
            await self.waiter
        except asyncio.CancelledError:
            if not self.waiter.done() or self.waiter.cancelled():
                self.run.hold()
            raise
        finally:
            self.waiter = None

    def _cancel(self) -> None:
        for frame in list(self.open.values()):
            frame.on_end = None
            frame.cancel()
        self.open.clear()


def _round(frame: Frame) -> Round:
    if frame.fault is not None:
        return Round("failed", None, frame.fault.message, frame.fault.node)
    for link in frame.plan.result_links:
        value = link.read(frame.outs[link.source])
        if value is not UNSET:
            return Round("done", value if link.coerce is None else link.coerce(value))
    return Round("empty" if frame.plan.result_links else "done")


async def _sub_flow(run: Running, frame: Frame, step: Step, version_id: str, input: Mapping[str, Json]) -> Json:
    """Another flow as part of this run: same ledger, same limits, its steps under this step's path."""
    facts = frame.facts
    if facts.depth >= run.limits.depth:
        raise NodeError(f"Flows call each other more than {run.limits.depth} deep. Does one call itself?", field="flow")
    if run.flow_of is None:
        raise NodeError("Other flows can't be started from here. Run this flow on the server.", field="flow")
    try:
        plan = await run.flow_of(facts, version_id)
    except Exception as error:  # the host's own words: no such version, or it can't run here
        raise NodeError(f"The flow can't be run: {error}", field="flow") from error
    inner_facts = RunFacts(
        facts.run_id,
        input,
        workspace_id=facts.workspace_id,
        flow_id=facts.flow_id,
        version_id=version_id,
        trigger="flow",
        deadline=facts.deadline,
        capabilities=facts.capabilities,
        emit=facts.emit,
        depth=facts.depth + 1,
    )
    inner = run.frame(plan, inner_facts, frame.iter, f"{frame.prefix}{step.id}/")
    over = asyncio.get_running_loop().create_future()

    def ended(_: Frame) -> None:
        run.hold()
        over.set_result(None)

    inner.on_end = ended
    run.start(inner)
    run.release()
    try:
        await over
    except asyncio.CancelledError:
        if not over.done() or over.cancelled():
            run.hold()
        inner.on_end = None
        inner.cancel()
        raise
    if inner.fault is not None:
        raise NodeError(f"The flow it calls failed at step '{inner.fault.node}': {inner.fault.message}", field="flow")
    return msgspec.to_builtins(inner.result)
