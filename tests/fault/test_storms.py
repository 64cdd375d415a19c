"""Each scenario ends with the invariants (tests/fault/checker.py) and with proof that its faults happened."""

import asyncio
import os
import signal

import pytest

from tests.fault.checker import check
from tests.fault.world import world

pytestmark = [pytest.mark.fault, pytest.mark.slow]


async def test_f_01_kill_9_of_a_random_worker_every_second(folder, full, chance):
    """Nothing lost, nothing done twice, and in doubt are exactly the runs whose step without a key was under way."""
    runs, workers, seconds = (200, 4, 0.5) if full else (40, 2, 0.4)
    async with world(folder, workers=workers, slots=12 if full else 20) as it:
        load = asyncio.create_task(it.load(runs, seconds, pace=0.05, risky_share=0.2))
        kills = 20 if full else 3
        for _ in range(kills):
            await asyncio.sleep(1.0 if full else 0.8)
            await it.kill(chance.choice(it.workers))
            await it.spawn()
        await load
        while full and await it.ask("select from run where status in ('queued', 'running')"):
            await asyncio.sleep(1.0)
            if len(it.faults) < 60:
                await it.kill(chance.choice(it.workers))
                await it.spawn()
        await it.quiet(90 if full else 40)
        figures = await check(it)
        assert figures["faults"]["kill"] >= kills
        assert await it.times("run.lost") > 0, "no run was with a worker when it was killed: the fault did not happen"
        assert figures["succeeded"] + figures.get("in_doubt", 0) + figures.get("dead", 0) == runs


async def test_f_03_redis_killed_and_back_empty(folder, full):
    runs, wipes, every = (600, 8, 4.0) if full else (40, 3, 0.8)
    async with world(folder) as it:
        load = asyncio.create_task(it.load(runs, 0.1, pace=0.04))
        for _ in range(wipes):
            await asyncio.sleep(every)
            it.wipe_redis()
        await load
        await it.quiet(60)
        figures = await check(it)
        assert figures["faults"]["redis"] == 2 * wipes and figures["succeeded"] == runs
        assert await it.start_p95() <= 5.0


async def test_f_07_postgresql_stopped_at_once_and_started_again(folder, full):
    runs, restarts, every = (300, 6, 8.0) if full else (30, 2, 1.5)
    async with world(folder) as it:
        load = asyncio.create_task(it.load(runs, 0.2, pace=0.05))
        for _ in range(restarts):
            await asyncio.sleep(every)
            it.restart_postgres()
        await load
        await it.quiet(90)
        figures = await check(it, exact_doubts=False)
        assert figures["faults"]["postgresql"] == 2 * restarts
        blamed = await it.ask("select id from run where crash_count > 0")
        assert not blamed, "an outage of the database is no crash of a worker"


async def test_f_14_a_worker_that_slept_through_its_lease_is_fenced_off(folder, full, chance):
    runs, naps = (300, 15) if full else (40, 2)
    async with world(folder, workers=3) as it:
        load = asyncio.create_task(it.load(runs, 0.6, pace=0.03, risky_share=0.2))
        for _ in range(naps):
            await asyncio.sleep(0.8)
            pid = chance.choice(it.workers)
            os.kill(pid, signal.SIGSTOP)
            it.note(f"sigstop {pid}")
            await asyncio.sleep(0.1)
            it.predicted |= await it.unsure(pid)
            await asyncio.sleep(2.0 * 1.8)
            os.kill(pid, signal.SIGCONT)
            it.note(f"sigcont {pid}")
        await load
        await it.quiet(90)
        await check(it, exact_doubts=False)
        assert await it.times("run.lost") > 0, "no lease ended while a worker slept: the fault did not happen"


async def test_f_25_every_nudge_delivered_five_times_and_late(folder, full):
    runs = 500 if full else 40
    async with world(folder, nudges="repeated") as it:
        await it.load(runs, 0.05, pace=0.01)
        await it.quiet(60)
        from app.runs import running

        count = running.host().transport.count
        it.note(f"repeated {count} nudges")
        figures = await check(it)
        assert figures["succeeded"] == runs and count > runs
        assert figures["repeated_and_absorbed"] == 0


async def test_f_26_every_nudge_lost(folder, full):
    runs = 500 if full else 40
    async with world(folder, nudges="dropped", slots=50) as it:
        await it.load(runs, 0.05, pace=0.05)
        await it.quiet(60)
        from app.runs import running

        count = running.host().transport.count
        it.note(f"dropped {count} nudges")
        figures = await check(it)
        assert figures["succeeded"] == runs and count == runs
        assert await it.start_p95() <= 3.0
