"""GET /events?topics=a,b: the one live stream of a page, as server-sent events.

Every stored event has its number as `id:`; a browser that comes back with Last-Event-ID is told what it missed.
First comes "hello", so that a page that has heard nothing yet has a number, too. `data:` is {"topic", "type", "data"}.
Words of the stream itself: "resync" = you missed too much, fetch the page anew; "bye" = come back to whoever answers.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from app.clock import monotonic
from app.errors import Refused, TooMany
from app.events import Event, Subscription, hub
from app.events.subscription import size_of
from app.web.actor import Actor
from app.web.patience import LiveStream

TOPIC = re.compile(r"[a-z][a-z0-9_-]{0,39}(:[A-Za-z0-9_-]{1,100})?")
TOPICS = 20
STREAMS = 20
"""Open streams of one session: tabs, with some that have not noticed yet that they are closed."""
PING = 15.0
"""Seconds of silence after which a comment is sent: proxies keep the connection, and we notice who is gone."""
LONGEST = 900.0
"""Seconds after which a stream ends with "bye": coming back asks who it is, so a revoked session falls silent."""
TOGETHER = 8 << 10
"""Bytes of events that go out in one piece when they are there already."""

_open: Counter[UUID] = Counter()


class StreamController(Controller):
    """A subscription reaches no further than the actor's own workspace, whatever topics it names."""

    path = "/events"

    @get("/", name="events", media_type="text/event-stream", opt={"stream": True})
    async def listen(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        topics: Annotated[str, QueryParameter(max_length=3_000)],
    ) -> LiveStream:
        wanted = topics_of(topics)
        who = actor.session_id or actor.user_id
        if _open[who] >= STREAMS:
            raise TooMany("Too many pages are open in this browser.", remedy="Close some of them.", retry_after=30)
        stream = hub.subscribe(actor.workspace_id, wanted, last_event_id(request))
        return LiveStream(
            counted(who, body(stream)),
            media_type="text/event-stream",
            # no-transform keeps compressing proxies from collecting events, X-Accel-Buffering nginx
            headers={"cache-control": "no-store, no-transform", "x-accel-buffering": "no"},
        )


def topics_of(text: str) -> list[str]:
    """The parts of "run:1,workspace". Raises Refused for none, too many, or one that no topic looks like."""
    topics = sorted({part.strip() for part in text.split(",") if part.strip()})
    if not 0 < len(topics) <= TOPICS:
        raise Refused(f"A stream takes 1 to {TOPICS} topics, not {len(topics)}.", field="topics")
    for topic in topics:
        if not TOPIC.fullmatch(topic):
            raise Refused(
                f"{topic[:60]!r} is no topic.", remedy="Topics look like workspace or run:<id>.", field="topics"
            )
    return topics


def last_event_id(request: Request[Any, Any, Any]) -> int | None:
    """What the browser heard last: its header when it comes back; `?last=` when a page goes on from its rendering."""
    text = str(request.headers.get("last-event-id") or request.query_params.get("last") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def counted(who: UUID, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    _open[who] += 1
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        _open[who] -= 1
        if _open[who] <= 0:
            del _open[who]


async def body(stream: Subscription) -> AsyncIterator[bytes]:
    """The bytes of one stream, until the browser leaves, the process closes, or LONGEST is over."""
    ends = monotonic() + LONGEST
    async with stream:
        yield b"retry: 1000\n" + chunk(Event(stream.position, "", "hello"))
        while not stream.ended and (left := ends - monotonic()) > 0:
            event = await stream.next(min(PING, left))
            if event is not None:
                yield b"".join(map(chunk, (event, *stream.at_hand(TOGETHER - size_of(event)))))
            elif not stream.ended:
                yield b": ping\n\n"
        yield b"retry: 500\nevent: bye\ndata: {}\n\n"


def chunk(event: Event) -> bytes:
    """One event as it goes over the wire. JSON has no raw line breaks, so `data:` is always one line."""
    number = b"" if event.seq is None else b"id: %d\n" % event.seq
    data = msgspec.json.encode({"topic": event.topic, "type": event.type, "data": event.data})
    return number + b"event: %s\ndata: %s\n\n" % (event.type.encode(), data)


routes = [StreamController]
