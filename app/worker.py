"""`agentbase worker`: carries out durable runs and what recurs. Wiring only: pools, engine, capabilities, loops."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from uuid import UUID

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
from app.runs.jobs import JOBS as RUNS
from app.runs.jobs import LOOKS as RUNS_LOOK
from app.runs.working import SLOTS, assembled
from app.sites.jobs import JOBS as SITES
from app.triggers import smtp
from app.triggers.jobs import JOBS as TRIGGERS
from app.triggers.jobs import LOOKS as TRIGGERS_LOOK
from app.webhooks import sending as webhooks
from app.webhooks.jobs import JOBS as WEBHOOKS
from app.webhooks.jobs import LOOKS as WEBHOOKS_LOOK
from flows.worker import Worker
from flows.worker_timings import Timings

log = logger(__name__)

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
    await db.start("worker")
    await running.start("worker")
    await hub.start()
    try:
        if alone is not None:
            async with assembled(timings=timings, slots=1, lanes=("quarantine",), id_=alone) as worker:
                await _work(worker)
        else:
            await _serve_all(timings, slots, models)
    finally:
        await gateway.drain()
        await hub.stop()
        await running.stop()
        await egress.stop()
        await db.stop()


async def _serve_all(timings: Timings | None, slots: int, models: bool) -> None:
    warming = asyncio.create_task(_warm()) if models else None
    try:
        async with (
            metrics.serving(),
            outbox.serving({mail.KIND: mail.deliver}),
            outbox.serving({webhooks.KIND: webhooks.deliver}),  # apart: a slow receiver must not hold up the mail
            background.serving((*JOBS, *LOOKS)),
            smtp.serving(),
            assembled(timings=timings, slots=slots, start_isolated=start_isolated) as worker,
        ):
            await _work(worker)
    finally:
        if warming is not None:
            warming.cancel()


async def _work(worker: Worker) -> None:
    _on_signals(worker.stop)
    await worker.run()


isolated_command: list[Sequence[str]] = [(sys.executable, "-c", "from app.worker import isolated; isolated()")]
"""How a process for isolated runs is started; the worker id follows. The last one counts: tests add their own."""


async def start_isolated(me: UUID) -> asyncio.subprocess.Process:
    tied = tied_to_parent(signal.SIGKILL)
    return await asyncio.create_subprocess_exec(
        *isolated_command[-1], str(me), env=config.environment(config.settings()), preexec_fn=tied
    )


async def _warm() -> None:
    """litellm takes seconds to import: in a thread, before the first run that needs it asks."""
    try:
        await gateway.begin_worker()
    except Exception:  # a task nobody awaits; without litellm the worker still has its other models
        log.exception("litellm could not be loaded: only OpenAI-compatible models can be called here")


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or a thread that is not the main one
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
