"""Writes of many runs on their way to the database: together in few statements, those of one run in their order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from flows.ledger.postgres_batch import Write

BATCH = 64
"""Writes in one statement, at most."""

WRITERS = 2
"""Statements under way at once: while one waits for the disk, the next is computed."""


class Writers:
    """`commit` stores writes of different runs and says of each what became of it (`Write.done`), or raises for all."""

    def __init__(self, commit: Callable[[Sequence[Write]], Awaitable[None]]) -> None:
        self._commit = commit
        self._waiting: dict[str, deque[Write]] = {}
        self._ready: deque[str] = deque()
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, write: Write) -> None:
        """It is under way when this returns; await its `done`."""
        run = write.claim.run
        queue = self._waiting.get(run)
        if queue is not None:
            queue.append(write)  # the run's earlier write is under way; this one follows it
            return
        self._waiting[run] = deque((write,))
        self._ready.append(run)
        if self._busy < WRITERS:
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        try:
            while self._ready:
                await self._next_batch()
        finally:
            self._busy -= 1

    async def _next_batch(self) -> None:
        runs = [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]
        writes = [self._waiting[run].popleft() for run in runs]
        try:
            await self._commit(writes)
        except Exception:  # a value PostgreSQL can't hold: only the run that wrote it may suffer
            await asyncio.gather(*(self._commit_alone(write) for write in writes))
        finally:
            for run in runs:
                if self._waiting[run]:
                    self._ready.append(run)
                else:
                    del self._waiting[run]

    async def _commit_alone(self, write: Write) -> None:
        try:
            if not write.done.done():
                await self._commit([write])
        except Exception as error:
            if not write.done.done():
                write.done.set_exception(error)
