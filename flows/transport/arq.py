"""Wake-ups over Redis by arq. A job names a lane and ends within a millisecond; no work ever runs inside it.

Every setting that differs from arq's own closes a way in which arq 0.28 loses or repeats jobs; the letters (L3) are
those of docs/adr/0011-arq-only-nudges.md. arq is imported here and nowhere else, so that it can be replaced.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import uuid4

import msgspec
from arq.connections import ArqRedis
from arq.worker import Function, Worker
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from flows.transport.protocol import Lane, Wake

log = logging.getLogger("agentbase.transport")
logging.getLogger("arq").setLevel(logging.WARNING)  # at info it writes two lines for each wake-up

LOOK = 2.0
"""Seconds after which a listener looks into its queue even if no bell rang: a process of an older release rings none.
arq alone would have to look fifty times a second for the same speed, and an idle worker took 6 % of a core for that.
"""

BELLS = 8
"""Rings that wait at most: one wakes one listener, and that one takes all nudges there are."""

EXPIRES_MS = 60_000
"""A nudge older than this is worth nothing: the poll of PostgreSQL has long found the run (L3)."""

NUDGE_TIMEOUT = 1.0
SULK = 2.0
"""Seconds for which no nudge is tried after Redis failed, so that a dead Redis doesn't slow each start."""

TROUBLE = (RedisError, OSError, TimeoutError)


def _encode(job: dict[str, Any]) -> bytes:
    """Also the end of one that expired, which is an exception; nobody reads it."""
    return msgspec.json.encode(job, enc_hook=str)


def _decode(raw: bytes) -> dict[str, Any]:
    return msgspec.json.decode(raw, type=dict[str, Any])


class Arq:
    def __init__(self, url: str, *, prefix: str = "agentbase") -> None:
        self._url = url
        self._prefix = prefix
        self._pool: ArqRedis | None = None
        self._sulk_until = 0.0
        self._sending: dict[Lane, asyncio.Task[bool]] = {}
        self._again: set[Lane] = set()

    async def nudge(self, lane: Lane) -> bool:
        """One nudge is under way at most per lane; those asked for meanwhile become one more after it."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._sulk_until:
            return False
        if (sending := self._sending.get(lane)) is not None:
            self._again.add(lane)
            return await asyncio.shield(sending)
        self._sending[lane] = sending = loop.create_task(self._send_all(lane))
        sending.add_done_callback(lambda _: self._sending.pop(lane, None))
        return await asyncio.shield(sending)

    async def _send_all(self, lane: Lane) -> bool:
        while True:
            self._again.discard(lane)
            if not await self._send(lane):
                return False
            if lane not in self._again:
                return True

    async def _send(self, lane: Lane) -> bool:
        """Two tries: a connection that lay in the pool while Redis was started anew fails once."""
        for last in (False, True):
            try:
                async with asyncio.timeout(NUDGE_TIMEOUT / 2):
                    await self._redis().enqueue_job(
                        "wake",
                        lane,
                        _job_id=f"{lane}:{uuid4().hex}",
                        _queue_name=self._queue(lane),
                        _expires=EXPIRES_MS,
                    )  # the id is new each time: arq drops an id that it still knows without a word (L7, L8)
                    await self._ring(lane)
                return True
            except TROUBLE as trouble:
                if last:
                    self._sulk_until = asyncio.get_running_loop().time() + SULK
                    log.warning("No nudge through Redis: %s. Workers find the run by their poll within 2.4 s.", trouble)
        return False

    async def _ring(self, lane: Lane) -> None:
        """After the nudge lies in the queue, so that whoever hears it finds one."""
        bell = _bell(self._queue(lane))
        async with self._redis().pipeline(transaction=False) as pipe:
            pipe.lpush(bell, "")
            pipe.ltrim(bell, 0, BELLS - 1)
            pipe.pexpire(bell, EXPIRES_MS)
            await pipe.execute()

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                if lane != "quarantine":  # nobody waits for it: its poll is enough
                    group.create_task(self._listen(lane, wake))

    async def _listen(self, lane: Lane, wake: Wake) -> None:
        """arq ends when Redis bounces, so it is started again, with growing pauses up to 5 s."""
        pause = 0.1
        while True:
            redis = self._connect()
            worker = self._worker(redis, lane, wake)
            started = asyncio.get_running_loop().time()
            running = asyncio.get_running_loop().create_task(worker.main())
            try:
                await asyncio.wait({running})
                if (trouble := running.exception()) is not None:
                    raise trouble
            except TROUBLE as trouble:
                log.warning("Lost Redis while listening for '%s': %s. Polling PostgreSQL meanwhile.", lane, trouble)
            finally:
                await _end(worker, running, redis)
            pause = 0.1 if asyncio.get_running_loop().time() - started > 10 else min(pause * 2, 5.0)
            await asyncio.sleep(pause)

    async def close(self) -> None:
        for task in list(self._sending.values()):
            task.cancel()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose(close_connection_pool=True)

    def _redis(self) -> ArqRedis:
        if self._pool is None:
            self._pool = self._connect()
        return self._pool

    def _connect(self) -> ArqRedis:
        pool = ConnectionPool.from_url(
            self._url,
            socket_timeout=5,  # a half-open connection is noticed (L15)
            socket_connect_timeout=1,
            socket_keepalive=True,
            health_check_interval=15,
        )
        return ArqRedis(
            connection_pool=pool,
            job_serializer=_encode,  # arq's own is pickle: who can write to Redis would own the workers
            job_deserializer=_decode,
            expires_extra_ms=EXPIRES_MS,
        )

    def _worker(self, redis: ArqRedis, lane: Lane, wake: Wake) -> Worker:
        return _Listener(
            functions=[_function(wake, lane)],
            redis_pool=redis,
            queue_name=self._queue(lane),
            handle_signals=False,
            max_jobs=50,
            queue_read_limit=200,  # (L14)
            job_timeout=10,
            max_tries=1,  # (L4)
            retry_jobs=False,
            keep_result=0,  # (L7)
            allow_abort_jobs=False,  # (L9)
            job_serializer=_encode,
            job_deserializer=_decode,
            expires_extra_ms=EXPIRES_MS,
            log_results=False,
        )

    def _queue(self, lane: Lane) -> str:
        return f"{self._prefix}:wake:{lane}"


class _Listener(Worker):
    """arq's worker, but it looks into its queue when the bell rings, not every few milliseconds."""

    async def main(self) -> None:
        bell = _bell(self.queue_name)
        while True:
            await self._poll_iteration()
            await cast(Any, self.pool).blpop([bell], timeout=LOOK)  # its types know whole seconds only


def _bell(queue: str) -> str:
    return f"{queue}:bell"


def _function(wake: Wake, lane: Lane) -> Function:
    """The only arq job there is, under the only name there will ever be: an old worker must know it (L5)."""

    async def run(_ctx: dict[Any, Any], *_args: Any) -> None:
        wake(lane)

    coroutine: Callable[..., Awaitable[None]] = run
    return Function("wake", coroutine, timeout_s=10, keep_result_s=0, keep_result_forever=False, max_tries=1)  # type: ignore[arg-type]


async def _end(worker: Worker, running: "asyncio.Task[None]", redis: ArqRedis) -> None:
    """Close what arq leaves open when it is cancelled or falls over. Its jobs hold nothing but a `wake`.

    redis-py may swallow a cancellation that arrives while it gives back a connection, so it is asked until it is gone.
    A job that is ending is let end, or closing the connection under it would leave an error that nobody fetches.
    """
    for _ in range(10):
        if running.done():
            break
        running.cancel()
        await asyncio.wait({running}, timeout=0.2)
    if jobs := [task for task in worker.tasks.values() if not task.done()]:
        await asyncio.wait(jobs, timeout=1)
    for job in jobs:
        job.cancel()
    try:
        async with asyncio.timeout(1):
            await redis.aclose(close_connection_pool=True)
    except TROUBLE:
        log.debug("Redis was gone before its connections were closed.")
