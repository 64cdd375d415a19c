"""The durable lane with everything on one machine: runs and steps a second, and how long a run waits for its start.

Ten steps a run, one worker. `baseline`: the goals of the engine issue, 150 runs/s, 600 steps/s, 15 and 60 ms.
`durable.node`: a step of a chain of 100 when nothing else runs, from the run's beginning to its end on record; its
baseline is LangGraph with its PostgreSQL checkpointer on the same server, and the goal is half of that.
`durable.idle`: of one core, by a worker that has nothing to do. `durable.timers.p99`: how late the last of a hundred
waiting runs is over, when 5,000 are due within 20 seconds; the goal, 3 s, is for 5,000 in a minute.
"""

import asyncio
import time
from collections.abc import Iterator
from uuid import UUID

import psutil
import uvloop

from app import config
from app.db import system_tx
from app.runs import service
from tests.bench.bed import bed
from tests.bench.figure import Figure
from tests.bench.peers.langgraph import chain_us
from tests.factories.runs import a_chain, a_version

RUNS = 600
ALONE = 100
LONG, LONG_RUNS = 100, 20
IDLE_S = 5.0
TIMERS, WITHIN_S = 5_000, 20.0

SLEEPERS = """
insert into run (workspace_id, flow_id, version_id, status, trigger, wake_at)
select $1, $2, $3, 'waiting', 'timer', clock_timestamp() + (1 + i * $5 / $4::float8) * interval '1 second'
  from generate_series(1, $4::int) i returning id, wake_at
"""


def figures() -> Iterator[Figure]:
    rate, p50, p95, node, theirs, idle, late = uvloop.run(_measure())
    yield Figure("durable.runs", rate, "1/s", 150.0)
    yield Figure("durable.steps", rate * 10, "1/s", 600.0)
    yield Figure("durable.start.p50", p50, "ms", 15.0)
    yield Figure("durable.start.p95", p95, "ms", 60.0)
    yield Figure("durable.node", node, "us", theirs)
    yield Figure("durable.idle", idle, "%", 2.0)
    yield Figure("durable.timers.p99", late, "ms", 3000.0)


async def _measure() -> tuple[float, float, float, float, float | None, float, float]:
    async with bed(web=False, workers=1) as it:
        workspace, flow, version = await a_version(a_chain(10, start="start.api"))
        for _ in range(5):
            await service.answer(workspace, version, {}, trigger="api")
        await _done(await service.start(workspace, version, {}, trigger="api"))  # the worker is up
        for _ in range(ALONE):
            await _done(await service.start(workspace, version, {}, trigger="warm"))
        began = time.perf_counter()
        started = [asyncio.create_task(service.start(workspace, version, {}, trigger="load")) for _ in range(RUNS)]
        await asyncio.gather(*started)
        await drained()
        took = time.perf_counter() - began
        async with system_tx("bench") as tx:
            row = await tx.fetchrow(
                """select percentile_cont(0.5) within group (order by w) as p50,
                          percentile_cont(0.95) within group (order by w) as p95
                     from (select extract(epoch from started_at - created_at) * 1000 as w from run
                            where trigger = 'warm') t"""
            )
        idle = await _idle(it.pids[0])
        late = await _late(workspace, flow, version)
        node = await _step_us()
        theirs = await asyncio.to_thread(chain_us, str(config.settings().database_owner_url))
    return RUNS / took, float(row["p50"]), float(row["p95"]), node, theirs, idle, late


async def _idle(pid: int) -> float:
    """Percent of one core."""
    worker = psutil.Process(pid)
    before = sum(worker.cpu_times()[:2])
    await asyncio.sleep(IDLE_S)
    return (sum(worker.cpu_times()[:2]) - before) / IDLE_S * 100


async def _late(workspace: UUID, flow: UUID, version: UUID) -> float:
    """Milliseconds from the moment a run is due to its end on record, the 99th percentile. Each is run once."""
    async with system_tx("bench") as tx:
        due = {
            row["id"]: row["wake_at"] for row in await tx.fetch(SLEEPERS, workspace, flow, version, TIMERS, WITHIN_S)
        }
    await asyncio.sleep(WITHIN_S)
    while True:
        async with system_tx("bench") as tx:
            left = await tx.fetchval("select count(*) from run where trigger = 'timer' and finished_at is null")
        if not left:
            break
        await asyncio.sleep(0.05)
    async with system_tx("bench") as tx:
        over = await tx.fetch("select id, status, epoch, finished_at from run where trigger = 'timer'")
    if any(row["status"] != "succeeded" or row["epoch"] != 1 for row in over):
        raise RuntimeError("A timer rang more than once, or its run failed.")
    late = sorted((row["finished_at"] - due[row["id"]]).total_seconds() * 1000 for row in over)
    return late[len(late) * 99 // 100]


async def _step_us() -> float:
    """Microseconds, the median of LONG_RUNS."""
    workspace, _, version = await a_version(a_chain(LONG, start="start.api"))
    for _ in range(LONG_RUNS):
        await _done(await service.start(workspace, version, {"a": 1}, trigger="long"))
    async with system_tx("bench") as tx:
        seconds = await tx.fetchval(
            "select percentile_cont(0.5) within group (order by extract(epoch from finished_at - started_at))"
            " from run where trigger = 'long'"
        )
    return float(seconds) / LONG * 1e6


async def _done(run: object) -> None:
    while True:
        async with system_tx("bench") as tx:
            if await tx.fetchval("select status from run where id = $1", run) == "succeeded":
                return
        await asyncio.sleep(0.01)


async def drained() -> None:
    """Until no run is queued or under way."""
    while True:
        async with system_tx("bench") as tx:
            if not await tx.fetchval("select count(*) from run where status in ('queued', 'running')"):
                return
        await asyncio.sleep(0.05)
