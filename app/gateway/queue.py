"""The line in front of the model on this machine: it answers few at a time, and says how long the line is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.gateway.calls import Target
from app.gateway.faults import Fault

AT_ONCE = 2
"""Calls of one process in the model server at the same time; the server itself takes turns between processes."""
MOST_WAITING = 30
LONGEST_WAIT = 120.0
"""Seconds."""


class Line:
    """First come, first served."""

    def __init__(self, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self.waiting = 0

    @asynccontextmanager
    async def place(self, target: Target, log: Callable[[str], None]) -> AsyncIterator[None]:
        """Inside the block the call is on. Raises Fault("busy") when the line is full or does not move."""
        if not target.local:
            yield
            return
        if self._free.locked():
            await self._wait(log)
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self, log: Callable[[str], None]) -> None:
        if self.waiting >= self._most_waiting:
            raise Fault(
                "busy",
                f"The model on this machine is busy: {self.waiting} calls are waiting. Try again in a moment, "
                "or connect a larger model under Connections.",
                retry_after=5,
            )
        ahead = self.waiting or 1
        log(f"Waiting for the model on this machine: {ahead} {'is' if ahead == 1 else 'are'} ahead.")
        self.waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._free.acquire()
        except TimeoutError:
            raise Fault(
                "busy",
                f"The model on this machine was busy for {LONGEST_WAIT:g} s. Try again, or connect a larger model "
                "under Connections.",
                retry_after=5,
            ) from None
        finally:
            self.waiting -= 1
