"""The queue with 1,000,000 runs in it: what a claim takes, and how long somebody waits beside others.

The runs lie in a real PostgreSQL that syncs to disk, in 1 and in 1,000 workspaces. What a worker took has ended
before its next claim, so each claim finds the whole queue and a free workspace. `baseline`: the goals of the engine
issue, 5 ms (p95) for a claim; somebody who waits is begun within 60 ms (p95), also beside 10,000 bulk runs.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvloop

from app import config, db
from app.runs import service
from flows import catalogue
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import Member, PostgresQueue
from tests.bench.bed import bed
from tests.bench.figure import Figure
from tests.factories.runs import a_chain, a_version, a_worker, wait_for

RUNS = 1_000_000
WIDE = (1, 1_000)
"""Workspaces."""
CLAIMS = 200
BACKLOG = 10_000
"""Runs in the lane bulk of the very workspace in which somebody waits."""
WAITERS = 200

WORKSPACES = """
with made as (
    insert into workspace (name) select 'Bench ' || i from generate_series(1, $2::int) i returning id
)
insert into flow_version (workspace_id, flow_id, document, content_hash, node_versions)
select made.id, uuidv7(), v.document, v.content_hash, v.node_versions
  from made cross join lateral (select * from flow_version where workspace_id = $1 limit 1) v
"""

FILL = """
insert into run (workspace_id, flow_id, version_id, status, trigger, input, created_at, queued_at)
select v.workspace_id, v.flow_id, v.id, 'queued', 'bench', '{"text": "Where is my parcel?"}',
       now() - (i || ' ms')::interval, now() - (i || ' ms')::interval
  from generate_series(1, $1::int) i
  join (select *, row_number() over (order by id) as nth, count(*) over () as wide
          from flow_version where workspace_id <> $2) v on v.nth = i % v.wide + 1
"""

BULK = """
insert into run (workspace_id, flow_id, version_id, status, lane, trigger, input)
select v.workspace_id, v.flow_id, v.id, 'queued', 'bulk', 'bench', '{}' from flow_version v, generate_series(1, $2::int)
 where v.workspace_id = $1
"""

ENDED = "update run set status = 'succeeded', owner_worker = null, finished_at = now() where id = any ($1::uuid[])"


def figures() -> Iterator[Figure]:
    yield from uvloop.run(_measure())


async def _measure() -> list[Figure]:
    found = []
    async with bed(web=False):
        first, _, _ = await a_version(a_chain(3, start="start.api"))
        pool = await db.open_pool("system", "worker", least=0, most=3)
        owner: Any = await asyncpg.connect(str(config.settings().database_owner_url))
        for number in WIDE:
            await _fill(owner, first, number)
            for most in (1, 50):
                p50, p95 = await _claims(pool, owner, most)
                name = f"queue.claim{most}.{number}-workspaces"
                found += [Figure(f"{name}.p50", p50, "ms"), Figure(f"{name}.p95", p95, "ms", 5.0)]
        found += await _beside_bulk(owner, first)
        await owner.close()
        pool.terminate()
    return found


async def _beside_bulk(owner: Any, first: UUID) -> list[Figure]:
    """From the commit of a run that somebody waits for to its claim, one after the other, while a worker is busy with
    bulk runs of the same workspace; and the same without them.
    """
    found = []
    for backlog, name in ((0, "alone"), (BACKLOG, "beside-bulk")):
        await owner.execute("truncate run cascade")
        await owner.execute("delete from workspace where id <> $1", first)
        await owner.execute(BULK, first, backlog)
        await owner.execute("vacuum (analyze) run")
        version = await owner.fetchval("select id from flow_version where workspace_id = $1", first)
        async with a_worker():
            late = [await _start_latency(owner, first, version) for _ in range(WAITERS)]
        late.sort()
        left = await owner.fetchval("select count(*) from run where lane = 'bulk' and status = 'queued'")
        if backlog and not left:
            raise RuntimeError("The bulk runs were over before the last one was waited for.")
        found.append(Figure(f"queue.interactive.{name}.p50", late[len(late) // 2], "ms"))
        found.append(Figure(f"queue.interactive.{name}.p95", late[len(late) * 95 // 100], "ms", 60.0))
    return found


async def _start_latency(owner: Any, workspace: UUID, version: UUID) -> float:
    run = await service.start(workspace, version, {}, trigger="api", lane="interactive")
    await wait_for(workspace, run, "succeeded")
    row = await owner.fetchrow("select created_at, started_at from run where id = $1", run)
    return float((row["started_at"] - row["created_at"]).total_seconds() * 1000)


async def _fill(owner: Any, first: UUID, workspaces: int) -> None:
    """The indexes are made after the rows: a queue that grew in a minute has the same ones."""
    await owner.execute("truncate run cascade")
    await owner.execute("delete from workspace where id <> $1", first)
    await owner.execute(WORKSPACES, first, workspaces)
    indexes = await owner.fetch(
        "select indexname, indexdef from pg_indexes where tablename = 'run' and indexname like '%_ix'"
    )
    for index in indexes:
        await owner.execute(f"drop index {index['indexname']}")
    await owner.execute("set session_replication_role = replica")  # a million checks of foreign keys
    await owner.execute(FILL, RUNS, first)
    await owner.execute("set session_replication_role = origin")
    for index in indexes:
        await owner.execute(index["indexdef"])
    await owner.execute("vacuum (analyze) run")


async def _claims(pool: Any, owner: Any, most: int) -> tuple[float, float]:
    kinds = {name: kind.version for name, kind in catalogue.load().items()}
    queue = PostgresQueue(
        pool, PostgresLedger(pool), Member(uuid4(), uuid4(), "bench", 1, 50, ("normal",), kinds=kinds)
    )
    await queue.register()
    took = []
    for _ in range(CLAIMS):
        began = time.perf_counter()
        claimed = await queue.claim("normal", most)
        took.append((time.perf_counter() - began) * 1000)
        if len(claimed) != most:
            raise RuntimeError(f"{len(claimed)} of {most} claimed")
        await owner.execute(ENDED, [each.claim.run for each in claimed])
    took.sort()
    return took[len(took) // 2], took[len(took) * 95 // 100]
