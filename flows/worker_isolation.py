"""Runs that were present at three crashes run in a process of their own, which may die and take nobody with it.

The parent sees how its child ends. Only such a crash counts further against the run: one run alone in a process, whose
death somebody witnessed. Where parent and child die together (the machine, an impatient operator), nobody is blamed.
So a run that only stood nearby is never declared dead, however many workers are killed around it.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg

from flows.ledger.postgres_pool import OUTAGES, borrowed
from flows.sweep import crashed

log = logging.getLogger("agentbase.worker")

Start = Callable[[UUID], Awaitable[asyncio.subprocess.Process]]
"""Starts a worker process for the lane quarantine, with one slot, under this worker id. It dies with its parent."""

RESERVE = """
insert into worker (id, boot_id, host, pid, lanes, slots, dead_after)
select $1, $2, $3, 0, '{quarantine}', 1, $4 * interval '1 second'
 where (select count(*) from (select from run where status = 'queued' and lane = 'quarantine' limit 100) q)
     > (select count(*) from worker c join worker p on p.id = c.boot_id
         where c.lanes = '{quarantine}' and c.stopped_at is null
           and p.stopped_at is null
           and greatest(p.heartbeat_at, pg_postmaster_start_time()) > clock_timestamp() - p.dead_after
           and (c.pid = 0 and c.started_at > clock_timestamp() - interval '1 minute'
                or c.heartbeat_at > clock_timestamp() - 2 * c.dead_after))
on conflict do nothing returning id
"""
"""One process for each run that waits, over all workers of the fleet. pid 0: being started.

A process dies with its parent, so it counts only while its parent lives: else one that was still being started when its
parent was killed would keep everybody from starting another for a minute.
"""

GONE = "update worker set stopped_at = clock_timestamp() where id = $1"

WEDGED = """
select pid > 0 and clock_timestamp() - greatest(heartbeat_at, pg_postmaster_start_time())
                   > greatest(3 * dead_after, interval '30 seconds')
  from worker where id = $1
"""
"""Ending it counts as a crash that was seen, so a machine that is merely busy must not come near it."""


class Isolation:
    """At most one child at a time per worker."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", parent: UUID, start: Start, *, dead_after: float = 30.0
    ) -> None:
        self._pool = pool
        self._parent = parent
        self._start = start
        self._dead_after = dead_after
        self._id: UUID | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.witnessed = 0
        """Crashes of children, since the start."""

    async def look(self) -> None:
        """Start a child when a run waits in quarantine, end one that stands still. Call every now and then."""
        if self._task is not None:
            await self._end_wedged()
            return
        id_ = uuid4()
        async with borrowed(self._pool) as connection:
            wanted = await connection.fetchval(RESERVE, id_, self._parent, socket.gethostname(), self._dead_after)
        if wanted is not None and not self._stopping:
            self._task = asyncio.create_task(self._live(id_), name="isolated")

    async def stop(self) -> None:
        """Let the child give back its run, then end it. That is nobody's crash."""
        self._stopping = True
        if self._child is not None and self._child.returncode is None:
            self._child.terminate()
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=3)
        if not done:
            if self._child is not None and self._child.returncode is None:
                self._child.kill()
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1)

    async def _live(self, id_: UUID) -> None:
        code: int | None = None
        try:
            self._id = id_
            self._child = await self._start(id_)
            code = await self._child.wait()
        except OSError as error:
            log.error("No process could be started for runs in quarantine: %s", error)
        finally:
            self._child = self._id = self._task = None
        if not self._stopping:
            await self._report(id_, code)

    async def _report(self, id_: UUID, code: int | None) -> None:
        """`code`: 0 = it had nothing more to do, negative = the signal that killed it, None = it did not start."""
        if code:
            self.witnessed += 1
            log.warning("The process for isolated runs died (exit status %d).", code)
        for _ in range(60):
            try:
                if code:
                    await crashed(self._pool, id_, code)
                async with borrowed(self._pool) as connection:
                    await connection.execute(GONE, id_)
                return
            except OUTAGES as outage:
                log.warning("Can't report the end of the isolated process yet: %r", outage)
                await asyncio.sleep(1)

    async def _end_wedged(self) -> None:
        child, id_ = self._child, self._id
        if child is None or id_ is None or child.returncode is not None:
            return
        async with borrowed(self._pool) as connection:
            if await connection.fetchval(WEDGED, id_):
                log.warning("The isolated process %d stands still: it is ended.", child.pid)
                child.kill()
