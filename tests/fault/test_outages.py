"""A worker whose database breaks at the worst moment. Each moment is chosen, none is waited for: these are the causes
of F-07's stalls, one by one. A worker that lives and sends heartbeats must never keep a run that it does not work on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from app import config
from app.db import system_tx
from app.runs import running, service
from flows.model import Flow
from flows.worker import Worker
from tests.factories.runs import a_chain, a_version, a_worker, wait_for
from tests.fault.proxy import Proxy, proxied
from tests.fault.steps import pausing

pytestmark = pytest.mark.fault

CLAIM = "set status = 'running', epoch = r.epoch + 1"
WRITE = "insert into node_exec as n"
LOAD = "from node_exec where run_id"


@pytest.fixture
async def host(db):
    yield await running.start("cli")
    await running.stop()


@asynccontextmanager
async def worker_behind(proxy: Proxy) -> AsyncIterator[Worker]:
    """Its connections go through the proxy, those of the test do not."""
    with config.using(database_url=config.Secret(proxy.url(config.settings().database_url))):
        manager = a_worker()
        worker = await manager.__aenter__()
    try:
        yield worker
    finally:
        proxy.loses, proxy.refusing = lambda sql: False, False
        proxy.thaw()
        await manager.__aexit__(None, None, None)


def once(part: str) -> Any:
    """Loses the first answer to a statement that has `part` in it."""
    left = [1]

    def loses(sql: str) -> bool:
        if part in sql and left[0]:
            left[0] -= 1
            return True
        return False

    return loses


async def started(flow: Flow) -> tuple[UUID, UUID]:
    workspace, _, version = await a_version(flow)
    return workspace, await service.start(workspace, version, {"n": 1}, trigger="api")


async def facts(run: UUID) -> Any:
    async with system_tx("test") as tx:
        return await tx.fetchrow("select * from run where id = $1", run)


@pytest.mark.parametrize(
    ("lost", "flow"),
    [(CLAIM, a_chain(3, start="start.api")), (WRITE, a_chain(3, start="start.api")), (LOAD, pausing())],
    ids=["claim", "write", "load"],
)
async def test_the_answer_to_a_statement_that_was_carried_out_gets_lost(host, lost, flow):
    """A claim nobody heard of is given back; a write that landed is not written twice; a load is asked again."""
    async with proxied(config.settings().database_url) as proxy:
        proxy.loses = once(lost)
        async with worker_behind(proxy):
            workspace, run = await started(flow)
            row = await wait_for(workspace, run, "succeeded", "failed", "dead", seconds=15)
            assert len(proxy.lost) == 1, "the fault did not happen"
    assert (row["status"], row["crash_count"]) == ("succeeded", 0)
    async with system_tx("test") as tx:
        seqs = [r["seq"] for r in await tx.fetch("select seq from run_event where run_id = $1 order by seq", run)]
    assert seqs == list(range(1, row["next_event_seq"])), "an event was written twice or not at all"


async def test_a_database_that_is_away_for_longer_than_the_lease_is_no_crash(host):
    """Nobody else could have taken the run: its worker waits, and goes on where it stood."""
    async with proxied(config.settings().database_url) as proxy, worker_behind(proxy) as worker:
        held = asyncio.Event()

        def loses(sql: str) -> bool:
            if WRITE in sql:
                proxy.refusing = True
                asyncio.get_running_loop().call_soon(proxy.cut)
                held.set()
                return True
            return False

        proxy.loses = loses
        workspace, run = await started(a_chain(3, start="start.api"))
        await asyncio.wait_for(held.wait(), 10)
        async with system_tx("the clock goes on: the lease is over") as tx:
            await tx.execute("update worker set dead_after = interval '1 hour' where stopped_at is null")
        await asyncio.sleep(1.5)  # longer than this worker's whole lease
        proxy.loses, proxy.refusing = lambda sql: False, False
        row = await wait_for(workspace, run, "succeeded", "failed", "dead", seconds=15)
        assert (row["status"], row["crash_count"], row["epoch"]) == ("succeeded", 0, 1)
        assert worker.counters.lost == 0


async def test_a_run_that_was_given_up_is_given_back_though_the_heart_goes_on_beating(host, monkeypatch):
    async with proxied(config.settings().database_url) as proxy, worker_behind(proxy) as worker:
        advance, failures = worker._advance, [ConnectionResetError("in the middle of something"), TimeoutError()]

        async def unlucky(claimed: Any, stop: Any) -> None:
            if failures:
                raise failures.pop()
            await advance(claimed, stop)

        monkeypatch.setattr(worker, "_advance", unlucky)
        workspace, run = await started(a_chain(3, start="start.api"))
        row = await wait_for(workspace, run, "succeeded", seconds=15)
        assert (row["epoch"], row["crash_count"], worker.counters.orphaned) == (3, 0, 2)


async def test_a_half_open_connection_costs_the_run_but_neither_the_worker_nor_its_other_runs(host):
    """The network swallows everything and tells nobody. When it is back, the worker is there again by itself."""
    async with proxied(config.settings().database_url) as proxy, worker_behind(proxy):
        workspace, first = await started(a_chain(3, start="start.api"))
        await wait_for(workspace, first, "succeeded")
        proxy.freeze()
        workspace, second = await started(a_chain(3, start="start.api"))
        async with a_worker():  # the other worker, whose network is fine
            row = await wait_for(workspace, second, "succeeded", seconds=20)
            assert row["crash_count"] <= 1
        proxy.cut()
        proxy.thaw()
        workspace, third = await started(a_chain(3, start="start.api"))
        await wait_for(workspace, third, "succeeded", seconds=30)


async def test_a_value_that_cannot_be_stored_ends_its_run_with_the_reason(host, monkeypatch):
    """It used to stand still for ever: the write that should say why was taken for one of a lost claim."""
    from flows.ledger.protocol import LostRun, StepChange

    async with a_worker() as worker:

        async def poisonous(claimed: Any, stop: Any) -> None:
            await worker._ledger.write(claimed.claim, [StepChange("a\0", "", "succeeded", 1, "pure", "{}")])

        monkeypatch.setattr(worker, "_advance", poisonous)
        workspace, run = await started(a_chain(3, start="start.api"))
        row = await wait_for(workspace, run, "failed", seconds=10)
        assert "could not go on" in row["error"] and not isinstance(row["error"], LostRun)


async def test_a_worker_whose_row_is_gone_registers_again(host):
    async with a_worker():
        async with system_tx("somebody tidied up") as tx:
            await tx.execute("delete from worker")
        workspace, run = await started(pausing())
        await wait_for(workspace, run, "succeeded", seconds=15)
        async with asyncio.timeout(10):
            while not await registered():
                await asyncio.sleep(0.05)


async def registered() -> int:
    async with system_tx("test") as tx:
        return int(
            await tx.fetchval("select count(*) from worker where stopped_at is null and lanes <> '{quarantine}'")
        )


async def test_connections_that_are_cut_again_and_again_cost_nothing(host):
    """F-09 on one worker: whatever it was just asking, the connection breaks under it."""
    async with proxied(config.settings().database_url) as proxy, worker_behind(proxy) as worker:
        runs = [await started(pausing()) for _ in range(15)]
        for workspace, run in runs:
            proxy.cut()
            row = await wait_for(workspace, run, "succeeded", "failed", "dead", seconds=15)
            assert (row["status"], row["crash_count"]) == ("succeeded", 0)
        assert worker.counters.broken == 0
