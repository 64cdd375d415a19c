"""Runs of flows with limits: a full line is stepped over, and no limit is ever passed."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import db as database
from app.db import system_tx
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import LINES_AT_ONCE, Claimed, Member, PostgresQueue
from flows.ledger.postgres_verbs import NewRun, start_run
from tests.factories.runs import a_chain, a_version

MOST = "select max(number) from (select count(*) as number from run where status = 'running' group by line) t"


class Queue:
    """A workspace with two flows, and workers that claim from it."""

    def __init__(self, pool: Any, version: tuple[UUID, UUID, UUID]) -> None:
        self.pool = pool
        self.workspace, self.flow, self.version = version

    async def worker(self) -> PostgresQueue:
        queue = PostgresQueue(self.pool, PostgresLedger(self.pool), Member(uuid4(), uuid4(), "t", 1, 50, ("normal",)))
        await queue.register()
        return queue

    async def limit(self, running: int | None, per_key: int | None = None) -> None:
        async with system_tx("test") as tx:
            await tx.execute(
                "insert into flow_limit (flow_id, workspace_id, running, key, per_key) values ($1, $2, $3, $4, $5)",
                self.flow, self.workspace, running, "input.key" if per_key else "", per_key,
            )  # fmt: skip

    async def put(self, number: int, key: str | None = "", priority: int = 0) -> list[str]:
        """Queue runs. `key`: None = of a flow without limits."""
        line = "" if key is None else str(self.flow) + (f"/{key}" if key else "")
        made = []
        async with system_tx("test") as tx:
            for _ in range(number):
                new = NewRun(self.workspace, self.flow, self.version, "{}", "test", priority=priority, line=line)
                made.append(str((await start_run(tx, new)).id))
        return made

    async def end(self, claimed: list[Claimed], status: str = "succeeded") -> None:
        async with system_tx("test") as tx:
            ids = [each.claim.run for each in claimed]
            await tx.execute("update run set status = $2, owner_worker = null where id = any ($1::uuid[])", ids, status)


@pytest.fixture
async def queue(db):
    pool = await database.open_pool("system", "worker", least=0, most=8)
    async with system_tx("test") as tx:  # what other tests left would be claimed, too
        await tx.execute("update run set status = 'cancelled' where status in ('queued', 'running')")
    yield Queue(pool, await a_version(a_chain(3)))
    pool.terminate()


def runs(claimed: list[Claimed]) -> list[str]:
    return [each.claim.run for each in claimed]


async def test_a_flow_has_no_more_runs_under_way_than_its_limit(queue):
    await queue.limit(3)
    made = await queue.put(10)
    worker = await queue.worker()
    first = await worker.claim("normal", 50)
    assert runs(first) == made[:3]
    assert all(each.limited for each in first)
    assert await worker.claim("normal", 50) == []
    await queue.end(first[:1])
    assert runs(await worker.claim("normal", 50)) == made[3:4]


async def test_a_full_flow_does_not_hold_up_the_others(queue):
    await queue.limit(1)
    await queue.put(100)
    others = await queue.put(5, key=None)
    taken = await (await queue.worker()).claim("normal", 50)
    assert len(taken) == 6
    assert set(others) <= set(runs(taken))


async def test_each_key_has_its_own_limit_and_the_flow_one_for_all(queue):
    await queue.limit(4, per_key=1)
    for key in ("aa", "bb", "cc", "dd", "ee", "ff"):
        await queue.put(3, key)
    worker = await queue.worker()
    first = await worker.claim("normal", 50)
    assert len(first) == 4
    async with system_tx("test") as tx:
        assert await tx.fetchval(MOST) == 1
    await queue.end(first)
    assert len(await worker.claim("normal", 50)) == 4


async def test_keys_behind_many_full_ones_are_reached(queue):
    await queue.limit(None, per_key=1)
    for i in range(3 * LINES_AT_ONCE):
        await queue.put(2, f"{i:03}")
    worker = await queue.worker()
    assert len(await worker.claim("normal", 50)) == 3 * LINES_AT_ONCE
    last = await queue.put(1, "zzz")
    assert runs(await worker.claim("normal", 50)) == last


async def test_workers_that_claim_at_once_do_not_pass_the_limit(queue):
    await queue.limit(5, per_key=2)
    for key in ("aa", "bb", "cc", "dd"):
        await queue.put(10, key)
    workers = [await queue.worker() for _ in range(6)]
    for _ in range(5):
        taken = await asyncio.gather(*(worker.claim("normal", 10) for worker in workers))
        async with system_tx("test") as tx:
            assert await tx.fetchval("select count(*) from run where status = 'running'") <= 5
            assert (await tx.fetchval(MOST) or 0) <= 2
        await queue.end([each for one in taken for each in one])


async def test_a_run_that_waits_holds_no_place(queue):
    await queue.limit(1)
    made = await queue.put(2)
    worker = await queue.worker()
    await queue.end(await worker.claim("normal", 5), "waiting")
    assert runs(await worker.claim("normal", 5)) == made[1:]


async def test_in_a_line_the_higher_priority_comes_first(queue):
    await queue.limit(1)
    await queue.put(2)
    urgent = await queue.put(1, priority=10)
    assert runs(await (await queue.worker()).claim("normal", 5)) == urgent


async def test_the_limit_of_the_workspace_holds_for_lines_too(queue):
    await queue.limit(40)
    async with system_tx("test") as tx:
        await tx.execute("insert into run_quota (workspace_id, running) values ($1, 2)", queue.workspace)
    await queue.put(10)
    assert len(await (await queue.worker()).claim("normal", 50)) == 2


async def test_without_its_limit_a_line_is_a_queue_like_any_other(queue):
    await queue.put(7)
    assert len(await (await queue.worker()).claim("normal", 50)) == 7
