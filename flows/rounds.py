"""`ctx.body` of a container step: its rounds, several at once, each a frame of its own."""

import asyncio
from collections.abc import Iterable, Mapping

from msgspec import UNSET

from flows.frame import Frame
from flows.plan import Edge, Step
from flows.running import Running
from flows.sdk.context import Round
from flows.sdk.errors import NodeError
from flows.sdk.values import Json
from flows.stored import Later

BREATH = 64
"""Rounds after which a container lets others run, when nothing in them ever waits."""


AT_A_TIME = 500
"""Rounds whose record is read at once when a run is taken up."""


class Rounds:
    """`last`: the lowest round that left the container; rounds after it don't count."""

    def __init__(self, run: Running, frame: Frame, step: Step) -> None:
        self.run, self.frame, self.step = run, frame, step
        self.open: dict[int, Frame] = {}
        self.ended: dict[int, Round] = {}
        self.failed = False
        self.later: dict[int, Frame] = {}
        self.last: int | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.outside = {
            key: value for key, link in step.captures if (value := link.read(frame.outs[link.source])) is not UNSET
        }

    async def round(self, index: int, values: Mapping[str, Json]) -> Round:
        self._may(index)
        await self._recall(index)
        try:
            self._start(index, values)
            await self._breathe(index + 1)
            while index in self.open:
                await self._change()
        except asyncio.CancelledError:
            self._cancel()
            raise
        await self._bring()
        return self.ended.pop(index)

    async def rounds(self, values: Iterable[Mapping[str, Json]], at_once: int, stop_on_error: bool) -> list[Round]:
        count = 0
        try:
            for value in values:
                self._may(count)
                await self._recall(count)
                self._start(count, value)
                count += 1
                await self._breathe(count)
                while len(self.open) >= at_once and not self._enough(stop_on_error):
                    await self._change()
                if self.last is not None or (stop_on_error and self.failed):
                    break
            while self.open and not self._enough(stop_on_error):
                await self._change()
        except BaseException:
            self._cancel()
            raise
        self._cancel()
        await self._bring()
        most = count if self.last is None else self.last + 1
        rounds = [self.ended[i] for i in range(most) if i in self.ended]
        self.ended = {}
        return rounds

    def _may(self, index: int) -> None:
        if index >= self.run.limits.items:
            raise NodeError(f"This step has more than {self.run.limits.items:,} rounds. Split the work.", field="items")

    async def _recall(self, index: int) -> None:
        """Of a run that is taken up: what is on record of this round and of the next ones, some at a time."""
        outer, body, recalled = self.frame, self.step.body, self.run.recalled
        key = (outer.prefix + self.step.id, outer.iter)
        if self.run.rounds_of is None or index < recalled.get(key, 0):
            return  # a container that is tried again does its rounds again
        recalled[key] = index + AT_A_TIME
        iters = [f"{outer.iter}.{i}" if outer.iter else str(i) for i in range(index, index + AT_A_TIME)]
        mine = {f"{outer.prefix}{step.id}" for step in body.steps} if body is not None else set()
        for row in await self.run.rounds_of(iters):
            if row.node in mine or any(row.node.startswith(f"{path}/") for path in mine):
                self.run.rows[row.node, row.iter] = row

    async def _breathe(self, count: int) -> None:
        if count % BREATH == 0:
            await asyncio.sleep(0)
            if self.run.journal is not None and self.run.journal.full:
                await self.run.journal.flush()

    def _enough(self, stop_on_error: bool) -> bool:
        return stop_on_error and self.failed

    def _start(self, index: int, values: Mapping[str, Json]) -> None:
        outer, body = self.frame, self.step.body
        if body is None:
            raise AssertionError("only a container has rounds")
        iter = f"{outer.iter}.{index}" if outer.iter else str(index)
        frame = self.run.frame(body, outer.facts, iter, outer.prefix, outer.home)
        self.open[index] = frame
        self.run.inner[frame] = (outer, self.step)
        frame.on_end = lambda ended: self._end(index, ended)
        self.run.start(frame, Edge({**self.outside, **values}))

    def _end(self, index: int, frame: Frame) -> None:
        del self.open[index], self.run.inner[frame]
        if self._is_later(frame):
            self.later[index] = frame
            ended = self.ended[index] = Round("done", index=index)
        else:
            ended = self.ended[index] = _round(index, frame)
        self.failed = self.failed or ended.status == "failed"
        if ended.last and (self.last is None or index < self.last):
            self.last = index
            self._cancel(after=index)
        if self.waiter is not None and not self.waiter.done():
            self.run.hold()
            self.waiter.set_result(None)

    def _is_later(self, frame: Frame) -> bool:
        """The round was taken over, and what it hands on is still in storage."""
        if not self.run.values.awaited or frame.fault is not None or frame.exit is not None:
            return False
        return any(isinstance(frame.outs[link.source], Later) for link in frame.plan.result_links)

    async def _bring(self) -> None:
        later, self.later = self.later, {}
        for index, frame in later.items():
            await self.run.values.bring_links(frame, list(frame.plan.result_links), self.step.label)
            self.ended[index] = _round(index, frame)

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

    def _cancel(self, after: int = -1) -> None:
        for index in [index for index in self.open if index > after]:
            frame = self.open.pop(index)
            frame.on_end = None
            del self.run.inner[frame]
            self.run.cancel(frame)


def _round(index: int, frame: Frame) -> Round:
    if frame.fault is not None:
        return Round("failed", None, frame.fault.message, frame.fault.node, index=index)
    if frame.exit is not None:
        value, last = frame.exit
        return Round("empty", last=last, index=index) if value is UNSET else Round("done", value, "", "", last, index)
    for link in frame.plan.result_links:
        value = link.read(frame.outs[link.source])
        if value is not UNSET:
            return Round("done", value if link.coerce is None else link.coerce(value), index=index)
    return Round("empty" if frame.plan.result_links else "done", index=index)
