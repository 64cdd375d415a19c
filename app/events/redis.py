"""Word between processes over Redis pub/sub: lossy on purpose, and alive again after every restart of Redis.

redis-py's own subscriber ends for ever at a lost connection in some layers above it, so the loop here builds a new one
each time and says when it was deaf, for the hub to look into the log.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.logs import logger

log = logger(__name__)

QUIET = 10.0
"""Seconds without any message after which the connection is asked whether it lives; twice as many, and it is dead."""
WAITING = 10_000
"""Messages kept while Redis is slow; older ones are dropped."""


class Line:
    """One process's connection to the others. `heard(channel, payload)` and `awake(channel | None)` are called back.

    `awake(channel)`: what was said there until now may have been missed; None = on all channels. Also called when the
    line went dead, as a sign to look by oneself.
    """

    def __init__(self, url: str, heard: Callable[[str, bytes], None], awake: Callable[[str | None], None]) -> None:
        self._url, self._heard, self._awake = url, heard, awake
        self._wanted: set[str] = set()
        self._pubsub: Any = None
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=WAITING)
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = False

    def start(self) -> None:
        if self._url:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._speak())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def say(self, channel: str, payload: bytes) -> None:
        """Send soon, at most once. Never waits, never fails."""
        if self._url:
            self._waiting.append((channel, payload))
            self._something.set()

    async def listen_to(self, channel: str) -> None:
        self._wanted.add(channel)
        if self._pubsub is not None:
            with suppress(RedisError, OSError, RuntimeError):  # the reader notices the same and starts anew, with all
                await self._pubsub.subscribe(channel)

    async def forget(self, channel: str) -> None:
        self._wanted.discard(channel)
        if self._pubsub is not None:
            with suppress(RedisError, OSError, RuntimeError):
                await self._pubsub.unsubscribe(channel)

    def _client(self) -> Redis:
        client: Redis = Redis.from_url(
            self._url,
            socket_connect_timeout=3,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            client_name="agentbase",
        )
        return client

    async def _listen(self) -> None:
        delay, said = 0.05, False
        while True:
            client = self._client()
            pubsub = client.pubsub()
            try:
                await pubsub.subscribe("agentbase:everyone", *self._wanted)
                self._pubsub, self.connected = pubsub, True
                if said:
                    log.info("redis is back: live updates come at once again")
                delay, said = 0.05, False
                self._awake(None)
                await self._read(pubsub)
            except (RedisError, OSError) as problem:
                if not said:
                    log.warning("redis does not answer: live updates come by polling", problem=str(problem))
                said = True
            finally:
                deaf, self._pubsub, self.connected = self.connected, None, False
                if deaf:
                    self._awake(None)
                await _close(pubsub, client)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def _read(self, pubsub: Any) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=QUIET)
            if message is None:
                if asked:
                    raise OSError("no answer to a ping")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                self._heard(message["channel"].decode(), message["data"])
            elif message["type"] == "subscribe":
                self._awake(message["channel"].decode())

    async def _speak(self) -> None:
        client = self._client()
        try:
            while True:
                await self._something.wait()
                self._something.clear()
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(200, len(self._waiting)))]
                    try:
                        async with asyncio.timeout(3):
                            pipe = client.pipeline(transaction=False)
                            for channel, payload in batch:
                                pipe.publish(channel, payload)
                            await pipe.execute()
                    except (RedisError, OSError):  # TimeoutError is an OSError
                        await client.connection_pool.disconnect()
                        await asyncio.sleep(0.1)
        finally:
            await _close(client)


async def _close(*things: Any) -> None:
    for thing in things:
        with suppress(RedisError, OSError, asyncio.CancelledError):
            await thing.aclose()
