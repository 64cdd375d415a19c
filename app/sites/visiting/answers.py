"""Answers while they are being written.

An answer is a task of its own: a visitor who closes the page, or whose connection breaks, finds it when coming back.
Whoever looks meanwhile gets everything written so far and then the rest, as many listeners as there are.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from msgspec import Struct

MAX_LENGTH = 200_000
"""Characters of one answer; what a flow says beyond is cut off."""


class Written(Struct, frozen=True):
    """How an answer ended. `state` is "done" or "failed"; then `text` says what happened and what to do."""

    text: str
    state: str
    run_id: UUID | None = None


class LiveAnswer:
    """One answer under way. `say` is given to the writer; `listen` to everybody who looks."""

    def __init__(self) -> None:
        self.text = ""
        self.written: Written | None = None
        self._more = asyncio.Event()

    def say(self, piece: str) -> None:
        self.text = (self.text + piece)[:MAX_LENGTH]
        self._wake()

    def finish(self, written: Written) -> None:
        self.written = written
        self._wake()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def listen(self) -> AsyncIterator[str]:
        """What was said so far in one piece, then each new piece; ends when the answer is written."""
        seen = 0
        while True:
            more = self._more
            if len(self.text) > seen:
                piece, seen = self.text[seen:], len(self.text)
                yield piece
            elif self.written is not None:
                return
            else:
                await more.wait()


Write = Callable[[LiveAnswer], Awaitable[Written]]
Keep = Callable[[Written], Awaitable[None]]

_live: dict[UUID, LiveAnswer] = {}
_tasks: set[asyncio.Task[None]] = set()


def under_way(turn_id: UUID) -> LiveAnswer | None:
    """The answer that this process is writing for a turn; None when it is not (any more)."""
    return _live.get(turn_id)


def begin(turn_id: UUID, write: Write, keep: Keep) -> LiveAnswer:
    """Start writing. `keep` stores the end before anybody is told of it."""
    live = _live[turn_id] = LiveAnswer()

    async def run() -> None:
        written = Written("The answer was interrupted. Ask again.", "failed")
        try:
            written = await write(live)
        finally:
            try:
                await keep(written)
            finally:
                _live.pop(turn_id, None)
                live.finish(written)

    task = asyncio.create_task(run(), name=f"answer {turn_id}")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return live


async def drain(seconds: float = 3.0) -> None:
    """At shutdown: let answers end for a moment, then interrupt them, which is written down, too."""
    if _tasks:
        await asyncio.wait(_tasks, timeout=seconds)
    for task in list(_tasks):
        task.cancel()
    await asyncio.gather(*_tasks, return_exceptions=True)
