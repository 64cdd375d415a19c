"""The hub: one per process, between the log and everybody in this process who listens.

What it guarantees a subscriber: stored events of its workspace and topics, each once, in order, from the given id on.
For who can't keep up nothing more is kept: it reads on in the log. Who comes back after too much gets one "resync",
which means: fetch the page's state anew. Whispers may be lost.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from app import config
from app.db import system_tx, tenant_tx
from app.events import log as stored
from app.events.log import Event
from app.events.redis import Line
from app.events.subscription import Subscription, size_of
from app.logs import logger

log = logger(__name__)

REPLAY = 5_000
"""Most events told again to a subscriber that comes back; beyond that it gets a resync."""
BATCH = 1_000
"""Events of a workspace read from the log at once, for all who listen."""
FAR = 20_000
"""A Last-Event-ID this far behind is not even looked up."""
POLL_ALONE, POLL_BESIDE = 1.0, 15.0
"""Seconds between looks into the log: without Redis, and with it (a hint may get lost)."""
CARRIED = 32_768
"""Bytes of events that travel with the hint itself, so that nobody needs to read the log."""


class _Told(Struct, frozen=True, omit_defaults=True):
    """One message between hubs: there are events up to number `last`, the newest being `events`; or a whisper."""

    sender: str
    last: int = 0
    events: list[Event] = []
    whisper: Event | None = None


class _Feed:
    """One workspace somebody here listens to. `seq`: newest event given out; None until it was looked up."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self.subscribers: set[Subscription] = set()
        self.opening = asyncio.Lock()

    def give(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.seq is not None:
                self.seq = event.seq
            size = size_of(event)
            for subscriber in tuple(self.subscribers):
                subscriber.give(event, size)


class Hub:
    """Started in the lifespan of web, public and worker, after the database. Without it publish() still stores."""

    def __init__(self) -> None:
        self._me = uuid4().hex
        self._feeds: dict[UUID, _Feed] = {}
        self._stale: set[UUID] = set()
        self._look = asyncio.Event()
        self._line: Line | None = None
        self._prefix = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._forgetting: set[asyncio.Task[None]] = set()
        stored.on_written(self._written)

    @property
    def listening(self) -> int:
        """Open subscriptions in this process."""
        return sum(len(feed.subscribers) for feed in self._feeds.values())

    async def start(self, closing: asyncio.Event | None = None) -> None:
        """`closing`: when it is set, every stream ends at once (app.web.closing)."""
        settings = config.settings()
        self._prefix = f"{settings.instance}:"  # pub/sub has no databases: only the name keeps instances apart
        self._look = asyncio.Event()
        self._line = Line(settings.redis_url, self._heard, self._awake)
        self._line.start()
        self._tasks = [asyncio.create_task(self._follow())]
        if closing is not None:
            self._tasks.append(asyncio.create_task(self._close_when(closing)))

    async def stop(self) -> None:
        self.end_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._line is not None:
            await self._line.stop()
        self._tasks, self._line = [], None
        self._feeds.clear()
        self._stale.clear()

    def end_streams(self) -> None:
        """Every subscriber's stream ends after what it already has."""
        for feed in self._feeds.values():
            for subscriber in feed.subscribers:
                subscriber.end()

    def subscribe(self, workspace_id: UUID, topics: Sequence[str], last_event_id: int | None = None) -> Subscription:
        """Listen to topics of one workspace, from now on or from after `last_event_id`. Use it with `async with`.

        Subscribe first, then read the state you show: what happens in between is in the stream.
        """
        return Subscription(self, workspace_id, frozenset(topics), last_event_id)

    def whisper(self, workspace_id: UUID, topic: str, type: str, data: Any = None) -> None:
        """Tell whoever listens right now, in any process; not stored, may be lost (tokens of a model, cursors)."""
        if not stored.TYPE.fullmatch(type) or type in stored.STREAM_WORDS:
            raise ValueError(f"A whisper can't have type {type!r}.")
        event = Event(None, topic, type, data)
        feed = self._feeds.get(workspace_id)
        if feed is not None:
            feed.give([event])
        self._tell(workspace_id, _Told(self._me, whisper=event))

    # -- from the log of this process, and from the others

    def _written(self, workspace_id: UUID, events: list[Event]) -> None:
        self._arrived(workspace_id, events, events[-1].seq or 0)
        told = _Told(self._me, last=events[-1].seq or 0, events=events)
        self._tell(workspace_id, told)

    def _tell(self, workspace_id: UUID, told: _Told) -> None:
        if self._line is None:
            return
        payload = msgspec.msgpack.encode(told)
        if len(payload) > CARRIED:
            if told.whisper is not None:
                return
            payload = msgspec.msgpack.encode(_Told(told.sender, last=told.last))
        self._line.say(f"{self._prefix}{workspace_id}", payload)

    def _heard(self, channel: str, payload: bytes) -> None:
        if not channel.startswith(self._prefix):
            return
        try:
            told = msgspec.msgpack.decode(payload, type=_Told)
            workspace_id = UUID(channel.removeprefix(self._prefix))
        except (msgspec.MsgspecError, ValueError):
            log.warning("a message on our channel is not ours", channel=channel)
            return
        feed = self._feeds.get(workspace_id)
        if told.sender == self._me or feed is None:
            return
        if told.whisper is not None:
            feed.give([told.whisper])
        else:
            self._arrived(workspace_id, told.events, told.last)

    def _arrived(self, workspace_id: UUID, events: list[Event], last: int) -> None:
        """Give them out if they follow what was given out last; otherwise let the log say what is between."""
        feed = self._feeds.get(workspace_id)
        if feed is None or (feed.seq is not None and last <= feed.seq):
            return
        if feed.seq is not None and events and events[0].seq == feed.seq + 1:
            feed.give(events)
        else:
            self._stale.add(workspace_id)
            self._look.set()

    def _awake(self, channel: str | None) -> None:
        """We may have missed hints: on every channel, or on this one until now."""
        if channel is None:
            self._stale.update(self._feeds)
        elif channel.startswith(self._prefix):
            self._stale.add(UUID(channel.removeprefix(self._prefix)))
        self._look.set()

    # -- reading the log

    async def _follow(self) -> None:
        delay = 0.0
        while True:
            line = self._line
            every = POLL_BESIDE if line is not None and line.connected else POLL_ALONE
            try:
                async with asyncio.timeout(every):
                    await self._look.wait()
                due = set(self._stale)
            except TimeoutError:
                due = set(self._feeds)
            self._look.clear()
            self._stale -= due
            try:
                await self._catch_up(due)
                delay = 0.0
            except Exception as problem:  # whatever it is, streams must live on when the database is back
                delay = min(max(delay * 2, 0.2), 5.0)
                log.warning("the event log can't be read: trying again", problem=repr(problem))
                self._stale |= due
                await asyncio.sleep(delay)
                self._look.set()

    async def _catch_up(self, due: set[UUID]) -> None:
        while due:
            asked = {
                one: feed.seq for one in due if (feed := self._feeds.get(one)) is not None and feed.seq is not None
            }
            if not asked:
                return
            async with system_tx("event streams") as tx:
                rows = await tx.fetch(_NEWER, list(asked), list(asked.values()), BATCH)
            due = set()
            by_workspace: dict[UUID, list[Any]] = {}
            for row in rows:
                by_workspace.setdefault(row["workspace_id"], []).append(row)
            for workspace_id, its in by_workspace.items():
                feed = self._feeds.get(workspace_id)
                if feed is None or feed.seq is None:
                    continue
                feed.give(event for event in stored.events_of(its) if (event.seq or 0) > (feed.seq or 0))
                if len(its) == BATCH:
                    due.add(workspace_id)

    # -- subscriptions

    async def admit(self, subscriber: Subscription) -> None:
        if self._line is None:
            raise RuntimeError("The hub is not running in this process: await hub.start() first.")
        workspace_id = subscriber.workspace_id
        feed = self._feeds.setdefault(workspace_id, _Feed())
        feed.subscribers.add(subscriber)  # before anything is read: what happens meanwhile waits in its queue
        try:
            async with feed.opening:
                if feed.seq is None:
                    await self._line.listen_to(f"{self._prefix}{workspace_id}")
                    async with tenant_tx(workspace_id) as tx:
                        feed.seq = await stored.last(tx, workspace_id)
            subscriber.position = feed.seq
            if subscriber.after is not None:
                await self._replay(subscriber, subscriber.after)
        except BaseException:
            self.leave(subscriber)
            raise

    async def _replay(self, subscriber: Subscription, after: int) -> None:
        async with tenant_tx(subscriber.workspace_id) as tx:
            last = await stored.last(tx, subscriber.workspace_id)
            oldest = await tx.fetchval("select min(seq) from event where workspace_id = $1", subscriber.workspace_id)
            missed = 0
            if 0 <= last - after <= FAR:
                missed = await tx.fetchval(
                    _MISSED, subscriber.workspace_id, after, sorted(subscriber.topics), REPLAY + 1
                )
        forgotten = after < last and (oldest is None or oldest > after + 1)
        if after > last or last - after > FAR or missed > REPLAY or forgotten:
            subscriber.position = min(after, last)
            subscriber.start_over(last)
        else:
            subscriber.position = after
            if missed:
                subscriber.fall_behind()

    async def missed(self, subscriber: Subscription) -> list[Event]:
        """What the log has for it from its position on: a page, and one more if there is more."""
        async with tenant_tx(subscriber.workspace_id) as tx:
            topics = sorted(subscriber.topics)
            return await stored.read(
                tx, subscriber.workspace_id, subscriber.position, topics=topics, limit=subscriber.most + 1
            )

    def leave(self, subscriber: Subscription) -> None:
        feed = self._feeds.get(subscriber.workspace_id)
        if feed is None:
            return
        feed.subscribers.discard(subscriber)
        if not feed.subscribers:
            del self._feeds[subscriber.workspace_id]
            self._stale.discard(subscriber.workspace_id)
            if self._line is not None:
                task = asyncio.create_task(self._forget(subscriber.workspace_id))
                self._forgetting.add(task)
                task.add_done_callback(self._forgetting.discard)

    async def _forget(self, workspace_id: UUID) -> None:
        if workspace_id not in self._feeds and self._line is not None:  # nobody came back in the meantime
            await self._line.forget(f"{self._prefix}{workspace_id}")

    async def _close_when(self, closing: asyncio.Event) -> None:
        await closing.wait()
        self.end_streams()


_NEWER = """
select e.workspace_id, e.seq, e.topic, e.type, e.data, e.at
from unnest($1::uuid[], $2::bigint[]) as w (id, seq)
cross join lateral (
    select * from event where workspace_id = w.id and seq > w.seq order by seq limit $3
) e
order by e.workspace_id, e.seq
"""

_MISSED = """
select count(*) from (
    select from event where workspace_id = $1 and seq > $2 and topic = any ($3::text[]) limit $4
) e
"""

hub = Hub()
"""The one of this process."""
