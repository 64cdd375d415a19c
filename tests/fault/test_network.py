"""Bad networks between workers, PostgreSQL and Redis, made by proxies of our own (proxy.py)."""

import asyncio
import random

import pytest

from tests.fault import steps
from tests.fault.checker import check
from tests.fault.proxy import proxied
from tests.fault.world import world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

OF_THE_LEDGER = ("insert into node_exec as n", "set status = 'running', epoch = r.epoch + 1", "COMMIT")


async def test_f_10_the_answer_to_a_commit_gets_lost(folder, full, chance):
    """Started once though the caller asks again, written once though the worker writes again; no step runs twice."""
    runs, share = (500, 0.05) if full else (30, 0.1)
    async with world(folder, workers=0, birth={"dead_after": 10.0}) as it, proxied(it.login) as proxy:
        struck: set[str] = set()

        def loses(sql: str) -> bool:
            """The first answer of each kind surely: by chance alone, no claim may be among the few of a small size."""
            kind = next((part for part in OF_THE_LEDGER if part in sql), None)
            if kind is None or (kind in struck and chance.random() >= share):
                return False
            struck.add(kind)
            return True

        async with it.through(proxy):
            for _ in range(2):
                await it.spawn(database=proxy.url(it.login), dead_after=10.0)
            await it.ready(2)
            load = asyncio.create_task(it.load(runs, 0.05))
            while not it.accepted:  # what the scenario itself needs is there
                await asyncio.sleep(0.01)
            proxy.loses = loses
            await load
            await it.quiet(120)
            proxy.loses = lambda sql: False
        for _ in proxy.lost:
            it.note("lost an answer")
        figures = await check(it)
        kinds = {part for part in OF_THE_LEDGER for sql in proxy.lost if part in sql}
        assert kinds == set(OF_THE_LEDGER), f"the fault did not happen everywhere: {kinds}"
        assert figures["succeeded"] == runs and figures["repeated_and_absorbed"] == 0
        assert not await it.ask("select id from run where crash_count > 0")


async def test_f_11_the_network_of_one_worker_stands_still_for_longer_than_its_lease(folder, full):
    runs, naps, long = (300, 4, 45.0) if full else (30, 1, 6.0)
    async with world(folder, workers=1) as it, proxied(it.login) as proxy:
        pid = await it.spawn(database=proxy.url(it.login))
        await it.ready(2)
        done = asyncio.Event()
        load = asyncio.create_task(it.load(runs, 0.4, pace=0.04, risky_share=0.2, until=done))
        for _ in range(naps):
            await it.until(
                """select exists (select from run r join worker w on w.id = r.owner_worker
                     join node_exec n on n.run_id = r.id
                    where w.pid = $1 and n.status = 'started' and r.status = 'running')""", pid,
            )  # fmt: skip
            lost = await it.times("run.lost")
            proxy.freeze()
            it.note("network frozen")
            it.predicted |= await it.unsure(pid)
            await it.until("select count(*) > $1 from run_event where type = 'run.lost'", lost, seconds=34)
            await asyncio.sleep(long / 4)
            proxy.thaw()
            it.note("network back")
        done.set()
        await load
        await it.quiet(90)
        await check(it, exact_doubts=False)
        assert await it.times("run.lost") > 0


async def test_f_12_a_half_open_connection_to_redis(folder, full):
    """No packet gets through and nobody is told. Runs go on by the poll; when the network is back, so are wake-ups."""
    runs, long = (300, 600.0) if full else (20, 8.0)
    async with world(folder, workers=0) as it, proxied(it.valkey.url(), raw=True) as proxy:
        for _ in range(2):
            await it.spawn(redis=proxy.url(it.valkey.url()))
        await it.ready(2)
        await it.load(10, 0.05)
        await it.quiet(30)
        proxy.freeze()
        it.note("network frozen")
        await it.load(runs, 0.05, prefix="frozen", pace=long / runs)
        await it.quiet(30)
        proxy.cut()
        proxy.thaw()
        it.note("network back")
        await asyncio.sleep(20 if full else 6)
        [(workspace, version)] = await it.flow(steps.five_steps(0.01, risky=False))
        for i in range(12):
            await it.start(workspace, version, f"after-{i}")
            await asyncio.sleep(0.3)
        await it.quiet(30)
        await check(it)
        assert await it.start_p95() <= 5.0
        late = (
            "select percentile_cont(0.5) within group (order by extract(epoch from started_at - created_at)) from run"
        )
        [after] = await it.ask(f"{late} where idempotency_key like 'after-%'")
        assert after[0] < 0.5, "wake-ups did not come back: only the poll found these runs"


async def test_f_13_a_slow_network(folder, full, chance):
    """+200 ms each way, 64 KB/s, one message in twenty late by a second more: nobody loses a lease by it."""
    runs = 200 if full else 15
    async with world(folder, workers=0) as it, proxied(it.login) as proxy:
        proxy.delay, proxy.bytes_per_second, proxy.late = 0.2, 64_000, 0.05
        random.seed(chance.random())
        for _ in range(2):
            await it.spawn(database=proxy.url(it.login), dead_after=12.0)
        await it.ready(2)
        it.note("network slow")
        await it.load(runs, 0.1)
        await it.quiet(300)
        figures = await check(it)
        assert figures["succeeded"] == runs
        assert not await it.ask("select id from run where crash_count > 0"), "a lease was lost though everybody lived"
