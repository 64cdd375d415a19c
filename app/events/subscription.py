"""One listener of the hub: what it has still to be told, and what happens when it can't keep up.

Little is kept for a reader who is slow: what does not fit is not kept at all but read from the log, page by page, as
fast as the reader takes it. So nobody's memory grows, and nothing is lost but whispers.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol
from uuid import UUID

import msgspec

from app.events.log import Event
from app.logs import logger

log = logger(__name__)

BACKLOG = 500
BACKLOG_BYTES = 128 << 10
"""Events kept for a subscriber that is not reading, and their bytes as JSON."""
PAGE = 200
PAGE_BYTES = 64 << 10
"""Events read from the log at once for one that is behind. One event (100 kB at most) is always read."""
LEAST_READ = 8
"""Of large events only about as many are read as make up a page: else most of what is read is thrown away."""
PAUSE = 0.5
"""Seconds until the log is asked again when it could not be read."""


class Host(Protocol):
    """The hub, as its subscriptions see it."""

    async def admit(self, subscriber: "Subscription") -> None: ...
    async def missed(self, subscriber: "Subscription") -> list[Event]: ...
    def leave(self, subscriber: "Subscription") -> None: ...


def size_of(event: Event) -> int:
    """Bytes of it as JSON, about."""
    return len(msgspec.json.encode(event.data)) + len(event.topic) + len(event.type) + 40


def page_of(events: list[Event]) -> list[Event]:
    """As many from the beginning as make up a page."""
    total, count = 0, 0
    for event in events[:PAGE]:
        total += size_of(event)
        if count and total > PAGE_BYTES:
            break
        count += 1
    return events[:count]


class Subscription:
    """`async with hub.subscribe(…) as stream`, then `async for event in stream`, or `await stream.next(seconds)`."""

    def __init__(self, hub: Host, workspace_id: UUID, topics: frozenset[str], last_event_id: int | None) -> None:
        self._hub, self.workspace_id, self.topics, self.after = hub, workspace_id, topics, last_event_id
        self._again: deque[Event] = deque()
        self._queue: deque[tuple[Event, int]] = deque()
        self._held = 0
        self._news = asyncio.Event()
        self._behind = False
        self.most = PAGE
        """Events that the next page may have, as far as one can tell by the last one."""
        self.position = 0
        """Number of the last stored event that this subscriber has, or need not have, seen."""
        self.ended = False

    @property
    def held(self) -> int:
        """Bytes that are kept for it."""
        return self._held + sum(map(size_of, self._again))

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
                    if (event := self._untold()) is not None:
                        return event
                    if self.ended:
                        return None
                    if self._behind:
                        await self._read_on()
                        continue
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None

    def at_hand(self, most: int) -> list[Event]:
        """What comes next and is here already, `most` bytes of it: to send it in one piece."""
        found: list[Event] = []
        while self._again or self._queue:
            most -= size_of(self._again[0] if self._again else self._queue[0][0])
            if most < 0:
                break
            if (event := self._untold()) is not None:
                found.append(event)
        return found

    def _untold(self) -> Event | None:
        """The next event that is here and that the subscriber has not seen. It has seen it with this."""
        while (event := self._take()) is not None:
            if event.seq is None:
                return event
            if event.seq > self.position or event.type == "resync":
                self.position = max(self.position, event.seq)
                return event
        return None

    def _take(self) -> Event | None:
        if self._again:
            return self._again.popleft()
        if self._queue:
            event, size = self._queue.popleft()
            self._held -= size
            return event
        return None

    def give(self, event: Event, size: int) -> None:
        """`size`: as `size_of` says."""
        if event.topic not in self.topics or self._behind:
            return
        if len(self._queue) >= BACKLOG or self._held + size > BACKLOG_BYTES:
            if event.seq is None:
                return
            self.fall_behind()
        else:
            self._queue.append((event, size))
            self._held += size
        self._news.set()

    def fall_behind(self) -> None:
        """Keep nothing: what comes after `position` is in the log."""
        self._behind = True
        self._queue.clear()
        self._held = 0
        self._news.set()

    def start_over(self, seq: int) -> None:
        """The reader has missed too much, and is told only that."""
        self._again.clear()
        self._again.append(Event(seq, "", "resync"))
        self._news.set()

    async def _read_on(self) -> None:
        """The next page of the log. What happens from now on is kept again, unless there is more to read."""
        self._behind = False
        try:
            missed = await self._hub.missed(self)
        except Exception as problem:  # the stream must be there when the database is back
            self.fall_behind()
            log.warning("the event log can't be read: trying again", problem=repr(problem))
            await asyncio.sleep(PAUSE)
            return
        except BaseException:
            self.fall_behind()
            raise
        page = page_of(missed[: self.most])
        if len(page) < len(missed):
            self.fall_behind()
        self.most = min(PAGE, max(LEAST_READ, 2 * len(page)))
        self._again.extend(page)

    def end(self) -> None:
        self.ended = True
        self._news.set()
