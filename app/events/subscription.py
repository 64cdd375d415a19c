"""One listener of the hub: what it has still to be told, and what happens when it can't keep up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol
from uuid import UUID

from app.events.log import Event

BACKLOG = 500
"""Events kept for a subscriber that is not reading."""


class Host(Protocol):
    """The hub, as its subscriptions see it."""

    async def admit(self, subscriber: "Subscription") -> None: ...
    def leave(self, subscriber: "Subscription") -> None: ...


class Subscription:
    """`async with hub.subscribe(…) as stream`, then `async for event in stream`, or `await stream.next(seconds)`."""

    def __init__(self, hub: Host, workspace_id: UUID, topics: frozenset[str], last_event_id: int | None) -> None:
        self._hub, self.workspace_id, self.topics, self.after = hub, workspace_id, topics, last_event_id
        self.again: deque[Event] = deque()
        self._queue: deque[Event] = deque()
        self._news = asyncio.Event()
        self.position = 0
        """Number of the last stored event that this subscriber has, or need not have, seen."""
        self.ended = False

    async def __aenter__(self) -> "Subscription":
        await self._hub.admit(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hub.leave(self)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.next(None)) is not None:
            yield event

    async def next(self, seconds: float | None) -> Event | None:
        """The next event; None when nothing came for that long, or (see `ended`) when the process is closing."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    while self.again or self._queue:
                        event = self.again.popleft() if self.again else self._queue.popleft()
                        if event.seq is None:
                            return event
                        if event.seq > self.position or event.type == "resync":
                            self.position = max(self.position, event.seq)
                            return event
                    if self.ended:
                        return None
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None

    def give(self, event: Event) -> None:
        if event.topic not in self.topics:
            return
        if len(self._queue) >= BACKLOG:
            if event.seq is None:
                return
            self.start_over(event.seq)
        else:
            self._queue.append(event)
        self._news.set()

    def start_over(self, seq: int) -> None:
        self.again.clear()
        self._queue.clear()
        self._queue.append(Event(seq, "", "resync"))
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()
