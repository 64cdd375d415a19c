"""The worker of this installation put together: its own connections, the engine, who is told, isolated processes."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec

from app import config, db
from app.logs import logger
from app.runs import running
from app.runs.announcing import Announcer
from app.runs.keeping import KEPT
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import Claimed, Member, PostgresQueue
from flows.ledger.protocol import Claim
from flows.run import Engine
from flows.transport.poll import Poll, Several
from flows.transport.protocol import LANES, Lane, Transport
from flows.worker import Worker
from flows.worker_heart import Heart
from flows.worker_isolation import Isolation
from flows.worker_places import Stop
from flows.worker_timings import Timings

log = logger(__name__)

SLOTS = 50

StartIsolated = Callable[[UUID], Awaitable[asyncio.subprocess.Process]]
"""Starts a process for runs in quarantine, given the worker's id."""


@asynccontextmanager
async def assembled(
    *,
    timings: Timings | None = None,
    slots: int = SLOTS,
    lanes: Sequence[Lane] = LANES,
    id_: UUID | None = None,
    start_isolated: StartIsolated | None = None,
) -> AsyncIterator[Worker]:
    """A worker with its own connections, on top of the pools, the engine and the hub of this process.

    Without `start_isolated` runs in quarantine wait for another worker.
    """
    timings = timings or Timings()
    host, announcer = running.host(), Announcer()
    # A worker that is frozen in a transaction must not hold the sweeper's lock for long. To watch for idle sessions
    # is not enough: between preparing and executing a statement a session counts as active.
    pool = await db.open_pool(
        "system",
        "worker",
        least=2,
        most=8,
        idle_in_transaction_session_timeout=f"{timings.dead_after / 4:g}s",
        transaction_timeout=f"{max(2.0, timings.dead_after / 2):g}s",
    )
    transport: Transport = host.transport if isinstance(host.transport, Poll) else Several(Poll(), host.transport)

    def cleared(claim: Claim) -> None:
        worker.release(claim)

    ledger = PostgresLedger(
        pool,
        patience=timings.dead_after,
        on_events=announcer.events,
        on_queued=lambda lane: _nudge(transport, cast(Lane, lane)),
        on_cleared=cleared,
    )
    me = Member(
        id_ or uuid4(),
        uuid4(),
        socket.gethostname(),
        os.getpid(),
        slots,
        lanes,
        dead_after=timings.dead_after,
        kinds={name: kind.version for name, kind in host.plans.catalogue.items()},
    )
    heart = Heart(
        config.settings().database_url,
        db.server_settings("system", "worker"),
        me.id,
        period=timings.heartbeat,
        lag=timings.loop_lag,
    )
    engine = Engine(host.plans.catalogue, ledger, capabilities=running.CAPABILITIES, flow_of=host.plan_of, keeping=KEPT)

    async def advance(claimed: Claimed, stop: Stop) -> None:
        announcer.follow(claimed.claim.run, UUID(claimed.workspace_id))
        try:
            ready = await host.ready(UUID(claimed.version_id))
            await engine.advance(claimed.claim, ready.plan, stop=stop, listen=announcer.listen, signals=stop.signals)
        finally:
            announcer.leave(claimed.claim.run)

    worker = Worker(
        pool,
        ledger,
        PostgresQueue(pool, ledger, me),
        transport,
        advance,
        heart,
        slots=slots,
        lanes=lanes,
        timings=timings,
        on_swept=announcer.swept,
        isolation=Isolation(pool, me.id, start_isolated, dead_after=timings.dead_after) if start_isolated else None,
    )
    log.info("worker started", worker=str(me.id), slots=slots, lanes=list(lanes))
    try:
        yield worker
    finally:
        pool.terminate()
        log.info("worker stopped", worker=str(me.id), **msgspec.structs.asdict(worker.counters))


_nudges: set["asyncio.Task[Any]"] = set()


def _nudge(transport: Transport, lane: Lane) -> None:
    task: asyncio.Task[Any] = asyncio.create_task(transport.nudge(lane))
    _nudges.add(task)
    task.add_done_callback(_nudges.discard)
