"""What one run costs each part of an installation: the numbers under docs/operate/scale.md. Run: make bench ARGS=cost

CPU in microseconds by process (web, worker, PostgreSQL), bytes of write-ahead log, bytes kept, transactions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import msgspec
import psutil
import uvloop
from msgspec import Struct

from app import config
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.runs import service
from tests.bench import chat
from tests.bench.bed import Bed, bed
from tests.bench.durable import drained
from tests.bench.figure import Figure
from tests.bench.hooks import BODY, address
from tests.bench.load import hammer
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version

SECONDS = 4.0
DURABLE_RUNS = 1_000
AT_ONCE = 16


class Cost(Struct, frozen=True):
    """Of one run. CPU in us; `wal` and `kept` in bytes; `commits`: transactions."""

    web: float
    worker: float
    postgres: float
    wal: float
    kept: float
    commits: float


PARTS = {"web": "us", "worker": "us", "postgres": "us", "wal": "B", "kept": "B", "commits": "1"}


def figures() -> Iterator[Figure]:
    for name, cost in uvloop.run(measured()).items():
        yield from (Figure(f"cost.{name}.{part}", getattr(cost, part), unit) for part, unit in PARTS.items())


async def measured() -> dict[str, Cost]:
    """express_10: a webhook flow of ten steps; durable_10: the same steps through a worker; chat: a model is asked."""
    with chat.fake() as url:
        async with bed(workers=1) as it:
            actor = await an_actor()
            await gateway.connect(actor, ConnectForm("compatible", base_url=url))
            _, flow, _ = await a_version(a_chain(10), actor.workspace_id)
            express = await address(actor.workspace_id, flow)
            _, flow, _ = await a_version(chat.FLOW, actor.workspace_id)
            asking = await address(actor.workspace_id, flow)
            _, _, durable = await a_version(a_chain(10, start="start.api"), actor.workspace_id)

            async def hooked(path: str, body: bytes, seconds: float) -> int:
                return int((await hammer(it.port, path, body, connections=AT_ONCE, seconds=seconds)).rate * seconds)

            async def started(seconds: float) -> int:
                left = iter(range(int(DURABLE_RUNS * seconds / SECONDS)))

                async def some() -> int:
                    return len(
                        [await service.start(actor.workspace_id, durable, {"i": i}, trigger="api") for i in left]
                    )

                count = sum(await asyncio.gather(*(some() for _ in range(AT_ONCE))))
                await drained()
                return count

            said = msgspec.json.encode("one two three")
            return {
                "express_10": await _cost(it, lambda seconds: hooked(express, BODY, seconds)),
                "durable_10": await _cost(it, started),
                "chat": await _cost(it, lambda seconds: hooked(asking, said, seconds)),
            }


async def rate_alone() -> float:
    """Express runs of ten steps a second, with AT_ONCE callers and nothing else."""
    async with bed() as it:
        workspace, flow, _ = await a_version(a_chain(10))
        path = await address(workspace, flow)
        await hammer(it.port, path, BODY, connections=AT_ONCE, seconds=1.0)
        return (await hammer(it.port, path, BODY, connections=AT_ONCE, seconds=SECONDS)).rate


async def _cost(it: Bed, work: Callable[[float], Awaitable[int]]) -> Cost:
    await work(1.0)  # warm
    connection = await asyncpg.connect(config.settings().database_owner_url)
    try:
        await connection.execute("checkpoint")  # after one, the first change of a page is logged whole
        before = await _counters(it, connection)
        runs = await work(SECONDS)
        after = await _counters(it, connection)
    finally:
        await connection.close()
    return Cost(*((now - was) / runs for now, was in zip(after, before, strict=True)))


async def _counters(it: Bed, connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[float, ...]:
    await connection.execute("select pg_stat_force_next_flush()")
    row = await connection.fetchrow(
        """select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal,
                  (select sum(pg_total_relation_size(c.oid)) from pg_class c
                    where c.relkind in ('r', 'm') and c.relnamespace = 'public'::regnamespace)::float8 as kept,
                  (select xact_commit from pg_stat_database where datname = current_database())::float8 as commits"""
    )
    servers = [child for child in psutil.Process().children(recursive=True) if child.name() == "postgres"]
    web, worker = (psutil.Process(pid) for pid in it.pids)
    return (_cpu([web]), _cpu([worker]), _cpu(servers), row["wal"], row["kept"], row["commits"])


def _cpu(processes: list[psutil.Process]) -> float:
    """Microseconds used so far. A connection that ends meanwhile takes its own with it: pools keep theirs open."""
    used = 0.0
    for process in processes:
        try:
            used += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return used * 1e6
