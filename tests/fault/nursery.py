"""A process that has imported everything and forks a worker for every line on its input. Prints the pid.

Starting Python anew for each killed worker would take longer than the faults are apart. A line is JSON (see Birth).

    python -m tests.fault.nursery EFFECT_PORT SLOTS NUDGES     (NUDGES: plain, dropped, repeated)
    python -m tests.fault.nursery EFFECT_PORT SLOTS NUDGES isolated WORKER-ID
"""

import asyncio
import ctypes
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

import app.worker
import flows.step  # noqa: F401  else read at the first run
from app import config
from app.runs import running
from flows import catalogue
from flows.compile import warm
from flows.worker_timings import Timings
from tests.fault import steps
from tests.fault.nudges import Dropped, Repeated

TIMINGS = Timings(
    heartbeat=0.5, dead_after=2.0, loop_lag=1.5, sweep=0.3, renudge=2.0, watch_cancels=0.3, cancel_grace=2.0, drain=2.0,
    linger=2.0,
)  # fmt: skip


class Birth(Struct):
    """How the next worker differs. `database`, `redis`: reached by another way. `skew`: seconds its clock is ahead.

    `without`: node types it does not have. `dead_after`: its lease. `lag`: seconds for which its event loop stands
    still, again and again. `temporary`: where its temporary files lie.
    """

    database: str = ""
    redis: str = ""
    skew: float = 0.0
    without: list[str] = []
    dead_after: float = TIMINGS.dead_after
    lag: float = 0.0
    temporary: str = ""
    full_python: bool = False


def main() -> None:
    port, slots, nudges = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    steps.install(port)
    plain = running.transport
    if nudges == "dropped":
        running.transport = lambda: Dropped()
    elif nudges == "repeated":
        running.transport = lambda: Repeated(plain())
    app.worker.isolated_command.append([sys.executable, "-m", "tests.fault.nursery", *sys.argv[1:4], "isolated"])
    if sys.argv[4:5] == ["isolated"]:
        asyncio.run(app.worker.serve(timings=TIMINGS, alone=UUID(sys.argv[5])))
        return
    warm()  # as `agentbase worker` does in a thread; else each worker's loop stands still at its first run
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    libc, me = ctypes.CDLL(None), os.getpid()
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            libc.prctl(1, signal.SIGKILL)
            if os.getppid() != me:
                os._exit(0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            os.dup2(2, 1)  # nobody reads a worker's standard output: a full pipe would hold it for ever
            try:
                live(msgspec.json.decode(line, type=Birth), slots)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(0)
        print(pid, flush=True)


def live(birth: Birth, slots: int) -> None:
    urls = {"database_url": birth.database, "redis_url": birth.redis}
    changes: Mapping[str, object] = {name: config.Secret(url) for name, url in urls.items() if url}
    if birth.full_python:
        changes = {**changes, "full_python": True}
    if birth.temporary:
        os.environ["TMPDIR"] = tempfile.tempdir = birth.temporary
    if birth.skew:
        really = time.time
        time.time = lambda: really() + birth.skew
    for name in birth.without:
        catalogue.load().pop(name, None)
    timings = msgspec.structs.replace(TIMINGS, dead_after=birth.dead_after)
    with config.using(**changes):
        asyncio.run(work(birth, timings, slots))


async def work(birth: Birth, timings: Timings, slots: int) -> None:
    lagging = asyncio.create_task(stand_still(birth.lag)) if birth.lag else None
    await app.worker.serve(timings=timings, slots=slots, models=False)
    if lagging is not None:
        lagging.cancel()


async def stand_still(seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        time.sleep(seconds)


if __name__ == "__main__":
    main()
