"""Transports that do what Redis may do on a bad day."""

import asyncio
import random
from collections.abc import Sequence

from flows.transport.protocol import Lane, Transport, Wake


class Dropped:
    """Every nudge is lost. Workers have nothing but their poll."""

    def __init__(self) -> None:
        self.count = 0

    async def nudge(self, lane: Lane) -> bool:
        self.count += 1
        return False

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return None


class Repeated:
    """Every nudge is delivered five times, in any order, up to three seconds late."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._tasks: set[asyncio.Task[None]] = set()
        self.count = 0

    async def nudge(self, lane: Lane) -> bool:
        for _ in range(5):
            task = asyncio.create_task(self._later(lane, random.uniform(0, 3)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def _later(self, lane: Lane, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.count += 1
        await self._inner.nudge(lane)

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        await self._inner.listen(lanes, wake)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._inner.close()
