"""`agentbase worker`: carries out durable runs and what recurs. Wiring only: pools, engine, capabilities, loops."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec

from app import background, config, db, egress, mail, metrics
from app.accounts.jobs import JOBS as ACCOUNTS
from app.checks.jobs import LOOKS as CHECKS_LOOK
from app.embedded.process import tied_to_parent
from app.events import hub, outbox
from app.events.jobs import JOBS as EVENTS
from app.gateway import service as gateway
from app.gateway.jobs import JOBS as GATEWAY
from app.gitsync.jobs import LOOKS as GIT_LOOK
from app.logs import logger
from app.runs import running
from app.runs.announcing import Announcer
from app.runs.jobs import JOBS as RUNS
from app.runs.jobs import LOOKS as RUNS_LOOK
from app.runs.keeping import KEPT
from app.sites.jobs import JOBS as SITES
from app.triggers import smtp
from app.triggers.jobs import JOBS as TRIGGERS
from app.triggers.jobs import LOOKS as TRIGGERS_LOOK
from app.webhooks import sending as webhooks
from app.webhooks.jobs import JOBS as WEBHOOKS
from app.webhooks.jobs import LOOKS as WEBHOOKS_LOOK
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import Claimed, Member, PostgresQueue
from flows.run import Engine
from flows.transport.poll import Poll, Several
from flows.transport.protocol import LANES, Lane, Transport
from flows.worker import Timings, Worker
from flows.worker_heart import Heart
from flows.worker_isolation import Isolation
from flows.worker_places import Stop

log = logger(__name__)

SLOTS = 50
JOBS: tuple[background.Job, ...] = (*EVENTS, *ACCOUNTS, *GATEWAY, *SITES, *TRIGGERS, *WEBHOOKS, *RUNS)
LOOKS: tuple[background.Job, ...] = (*RUNS_LOOK, *TRIGGERS_LOOK, *WEBHOOKS_LOOK, *GIT_LOOK, *CHECKS_LOOK)


def main() -> None:
    """Work until SIGTERM or Ctrl-C, then let steps finish, give back what is left, and end within 30 s."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


def isolated() -> None:
    """The process for runs in quarantine, started by a worker: `python -c … isolated() <worker id>`. It ends by itself
    when none is left, and dies with its parent.
    """
    asyncio.run(serve(alone=UUID(sys.argv[1])))


async def serve(
    *, timings: Timings | None = None, slots: int = SLOTS, models: bool = True, alone: UUID | None = None
) -> None:
    """The worker process. `models` False: litellm is not loaded (the fault tests start many workers).

    `alone`: the id under which it serves runs in quarantine, one at a time, and nothing else.
    """
    if alone is not None:
        await _serve_alone(alone, timings)
        return
    await db.start("worker")
    await running.start("worker")
    await hub.start()
    warming = asyncio.create_task(_warm()) if models else None
    try:
        async with (
            metrics.serving(),
            outbox.serving({mail.KIND: mail.deliver}),
            outbox.serving({webhooks.KIND: webhooks.deliver}),  # apart: a slow receiver must not hold up the mail
            background.serving((*JOBS, *LOOKS)),
            smtp.serving(),
            assembled(timings=timings, slots=slots) as worker,
        ):
            _on_signals(worker.stop)
            await worker.run()
    finally:
        if warming is not None:
            warming.cancel()
        await gateway.drain()
        await hub.stop()
        await running.stop()
        await egress.stop()
        await db.stop()


async def _serve_alone(me: UUID, timings: Timings | None) -> None:
    await db.start("worker")
    await running.start("worker")
    await hub.start()
    try:
        async with assembled(timings=timings, slots=1, lanes=("quarantine",), id_=me) as worker:
            _on_signals(worker.stop)
            await worker.run()
    finally:
        await gateway.drain()
        await hub.stop()
        await running.stop()
        await egress.stop()
        await db.stop()


isolated_command: list[Sequence[str]] = [(sys.executable, "-c", "from app.worker import isolated; isolated()")]
"""How a process for isolated runs is started; the worker id follows. The last one counts: tests add their own."""


async def _start_isolated(me: UUID) -> asyncio.subprocess.Process:
    tied = tied_to_parent(signal.SIGKILL)
    return await asyncio.create_subprocess_exec(
        *isolated_command[-1], str(me), env=config.environment(config.settings()), preexec_fn=tied
    )


@asynccontextmanager
async def assembled(
    *,
    timings: Timings | None = None,
    slots: int = SLOTS,
    lanes: Sequence[Lane] = LANES,
    id_: UUID | None = None,
) -> AsyncIterator[Worker]:
    """A worker with its own connections, on top of the pools, the engine and the hub of this process."""
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
    ledger = PostgresLedger(
        pool,
        patience=timings.dead_after,
        on_events=announcer.events,
        on_queued=lambda lane: _nudge(transport, cast(Lane, lane)),
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
        isolation=Isolation(pool, me.id, _start_isolated, dead_after=timings.dead_after)
        if "quarantine" in lanes and len(lanes) > 1
        else None,
    )
    log.info("worker started", worker=str(me.id), slots=slots, lanes=list(lanes))
    try:
        yield worker
    finally:
        pool.terminate()
        log.info("worker stopped", worker=str(me.id), **msgspec.structs.asdict(worker.counters))


async def _warm() -> None:
    """litellm takes seconds to import: in a thread, before the first run that needs it asks."""
    try:
        await gateway.begin_worker()
    except Exception:  # a task nobody awaits; without litellm the worker still has its other models
        log.exception("litellm could not be loaded: only OpenAI-compatible models can be called here")


_nudges: set["asyncio.Task[Any]"] = set()


def _nudge(transport: Transport, lane: Lane) -> None:
    task: asyncio.Task[Any] = asyncio.create_task(transport.nudge(lane))
    _nudges.add(task)
    task.add_done_callback(_nudges.discard)


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or a thread that is not the main one
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
