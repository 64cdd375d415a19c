"""A worker's memory over 100,000 durable runs: does it grow? Takes about five minutes, so only when it is named:

    make bench ARGS=flat

`flat.grown`: MB (RSS) at the end more than after the first tenth, when everything is loaded and warm.
"""

import asyncio
import sys
from collections.abc import Iterator

import psutil
import uvloop

from app.runs import service
from tests.bench.bed import bed
from tests.bench.durable import drained
from tests.bench.figure import Figure
from tests.factories.runs import a_chain, a_version

ONLY_WHEN_NAMED = True
RUNS = 100_000
AT_ONCE = 32
QUEUED_AT_MOST = 2_000
GROWN_GOAL_MB = 20.0


def figures() -> Iterator[Figure]:
    warm, end, rate = uvloop.run(_measure())
    yield Figure("flat.after_10_percent", warm, "MB")
    yield Figure("flat.after_100_percent", end, "MB")
    yield Figure("flat.grown", end - warm, "MB", GROWN_GOAL_MB)
    yield Figure("flat.rate", rate, "1/s")


async def _measure() -> tuple[float, float, float]:
    async with bed(web=False, workers=1) as it:
        worker = psutil.Process(it.pids[0])
        workspace, _, version = await a_version(a_chain(5, start="start.api"))
        warm, began = 0.0, asyncio.get_running_loop().time()
        for done in range(0, RUNS, QUEUED_AT_MOST):
            await _start(workspace, version, QUEUED_AT_MOST)
            await drained()
            if not warm and done + QUEUED_AT_MOST >= RUNS // 10:
                warm = worker.memory_info().rss / 1e6
            print(f"{done + QUEUED_AT_MOST:,}: {worker.memory_info().rss / 1e6:.0f} MB", file=sys.stderr)
        took = asyncio.get_running_loop().time() - began
        return warm, worker.memory_info().rss / 1e6, RUNS / took


async def _start(workspace: object, version: object, runs: int) -> None:
    left = iter(range(runs))

    async def some() -> None:
        for i in left:
            await service.start(workspace, version, {"i": i}, trigger="flat")  # type: ignore[arg-type]

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
