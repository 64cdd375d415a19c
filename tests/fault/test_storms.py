"""Storms over workers, Redis and PostgreSQL. Each scenario ends with the invariants (checker.py) and with proof that
its faults happened.
"""

import asyncio
import os
import signal
from collections import Counter
from uuid import UUID

import pytest

from tests.fault import steps
from tests.fault.checker import check
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]


async def test_f_01_kill_9_of_a_random_worker_every_second(folder, full, chance):
    """Nothing lost, nothing done twice, nobody innocent is declared dead, and in doubt are exactly the runs whose step
    without a key was under way.
    """
    runs, workers, seconds, kills, pause = (1000, 4, 1.0, 60, 1.0) if full else (30, 2, 0.3, 4, 0.0)
    async with world(folder, workers=workers, slots=20) as it:
        done = asyncio.Event()
        load = asyncio.create_task(
            it.load(runs, seconds, pace=0.09 if full else 0.05, risky_share=0.1 if full else 0.2, until=done)
        )
        for _ in range(kills):
            pid = await it.busy_worker(chance)
            assert pid is not None, "no work was left to disturb"
            await it.kill(pid)
            await it.spawn()
            await asyncio.sleep(pause)
        done.set()
        await load
        await it.quiet(90)
        figures = await check(it)
        assert figures["faults"]["kill"] == kills
        assert await it.times("run.lost") > 0, "no run was with a worker when it was killed: the fault did not happen"
        assert figures["succeeded"] + figures.get("in_doubt", 0) == len(it.accepted), "an innocent run was given up"


async def test_f_02_all_workers_die_together(folder, full, chance):
    runs, dark = (500, 20.0) if full else (30, 1.0)
    async with world(folder, workers=4 if full else 2) as it:
        load = asyncio.create_task(it.load(runs, 0.2, pace=0.01, risky_share=0.1))
        assert await it.busy_worker(chance)
        for pid in list(it.workers):
            await it.kill(pid)
        await asyncio.sleep(dark)
        for _ in range(4 if full else 2):
            await it.spawn()
        await load
        await it.quiet(40 if full else 30)
        await check(it)
        assert await it.times("run.lost") > 0


async def test_f_03_redis_killed_and_back_empty(folder, full, chance):
    runs, wipes, pause = (600, 10, 4.0) if full else (30, 3, 0.2)
    async with world(folder) as it:
        done = asyncio.Event()
        load = asyncio.create_task(it.load(runs, 0.1, pace=0.04, until=done))
        for _ in range(wipes):
            assert await it.busy_worker(chance)
            it.wipe_redis()
            await asyncio.sleep(pause)
        done.set()
        await load
        await it.quiet(60)
        figures = await check(it)
        assert figures["faults"]["redis"] == 2 * wipes and figures["succeeded"] == len(it.accepted)
        assert await it.start_p95() <= 5.0


async def test_f_04_redis_away_for_long(folder, full):
    """Runs go on by the poll, and are accepted all the time."""
    runs, away = (300, 600.0) if full else (20, 5.0)
    async with world(folder) as it:
        it.stop_redis()
        await it.load(runs, 0.1, pace=away / runs)
        await it.quiet(60)
        it.start_redis()
        await it.load(runs, 0.1, prefix="later")
        await it.quiet(60)
        figures = await check(it)
        assert figures["succeeded"] == len(it.accepted) == 2 * runs
        assert await it.start_p95() <= 5.0


async def test_f_05_redis_back_with_an_old_snapshot(folder, full):
    """Wake-ups of runs that have long ended are delivered again. Nobody runs them again."""
    runs = 300 if full else 20
    async with world(folder) as it:
        await it.load(runs, 0.05)
        it.snapshot_redis()
        await it.quiet(60)
        live = asyncio.create_task(it.load(runs, 0.1, prefix="live", pace=0.02))
        ended = {row["id"] for row in await it.ask("select id from run where status = 'succeeded'")}
        it.restore_redis()
        await live
        await it.quiet(60)
        figures = await check(it)
        again = await it.ask("select id from run where id = any ($1::uuid[]) and epoch > 1", list(ended))
        assert not again and figures["repeated_and_absorbed"] == 0


async def test_f_06_redis_refuses_every_write(folder, full):
    """Full (or a read-only replica): arq takes the refusal for "somebody else started it" and says nothing."""
    runs, long = (300, 60.0) if full else (20, 4.0)
    async with world(folder) as it:
        await it.redis("CONFIG", "SET", "maxmemory", "1")
        it.note("redis full")
        await it.load(runs, 0.05, pace=long / runs)
        await it.quiet(30)
        await it.redis("CONFIG", "SET", "maxmemory", "0")
        await it.redis("REPLICAOF", "127.0.0.1", "1")
        it.note("redis read-only")
        await it.load(runs, 0.05, prefix="replica", pace=long / runs)
        await it.quiet(30)
        await it.redis("REPLICAOF", "NO", "ONE")
        await it.load(runs, 0.05, prefix="after")
        await it.quiet(30)
        figures = await check(it)
        assert figures["succeeded"] == 3 * runs
        assert await it.start_p95() <= 5.0


async def test_f_07_postgresql_stopped_at_once_and_started_again(folder, full, chance):
    """Workers keep their runs: an outage of the database is no crash of a worker, and nothing stands still after it."""
    runs, restarts, pause = (300, 8, 6.0) if full else (30, 2, 0.0)
    async with world(folder, birth={"dead_after": 15.0}) as it:
        done = asyncio.Event()
        load = asyncio.create_task(it.load(runs, 0.2, pace=0.05, until=done))
        for _ in range(restarts):
            assert await it.busy_worker(chance)
            it.restart_postgres()
            await asyncio.sleep(pause)
        done.set()
        await load
        await it.quiet(60)
        figures = await check(it, exact_doubts=False)
        assert figures["faults"]["postgresql"] == 2 * restarts
        blamed = await it.ask("select id from run where crash_count > 0")
        assert not blamed, "an outage of the database is no crash of a worker"


async def test_f_08_postgresql_away_for_long(folder, full, chance):
    """Longer than any lease. Nobody could take the runs meanwhile, so their workers go on with them."""
    runs, away = (200, 300.0) if full else (20, 6.0)
    async with world(folder, birth={"dead_after": 4.0}) as it:
        await it.load(runs, 0.3)
        assert await it.busy_worker(chance)
        it.stop_postgres()
        with pytest.raises(Exception, match="database"):
            await it.start_once("while it is away")
        await asyncio.sleep(away)
        it.start_postgres()
        await it.quiet(60)
        figures = await check(it, exact_doubts=False)
        assert figures["succeeded"] == runs


async def test_f_09_backends_of_postgresql_killed_at_random(folder, full, chance):
    runs, kills, pause = (1000, 300, 0.2) if full else (40, 15, 0.05)
    async with world(folder, birth={"dead_after": 15.0}) as it:
        done = asyncio.Event()
        load = asyncio.create_task(it.load(runs, 0.1, pace=0.03, until=done))
        for _ in range(kills):
            rows = await it.ask("select pid from pg_stat_activity where application_name like 'agentbase-worker%'")
            await it.ask("select pg_terminate_backend($1)", chance.choice([row["pid"] for row in rows]))
            it.note("terminated")
            await asyncio.sleep(pause)
        done.set()
        await load
        await it.quiet(60)
        figures = await check(it, exact_doubts=False)
        assert figures["faults"]["terminated"] == kills
        [connections] = await it.ask(
            "select count(*) from pg_stat_activity where application_name like 'agentbase-worker%'"
        )
        assert connections[0] <= 2 * 30, "connections leak"
        assert not await it.ask("select id from run where crash_count > 0")


async def test_f_14_a_worker_that_slept_through_its_lease_is_fenced_off(folder, full, chance):
    """Its writes change nothing any more; what it did outside counts once (late-outcome rule)."""
    runs, naps = (300, 15) if full else (30, 2)
    async with world(folder, workers=3) as it:
        done = asyncio.Event()
        load = asyncio.create_task(it.load(runs, 0.6, pace=0.05, risky_share=0.2, until=done))
        for _ in range(naps):
            pid = await it.busy_worker(chance)
            assert pid is not None
            lost = await it.times("run.lost")
            os.kill(pid, signal.SIGSTOP)
            it.note(f"sigstop {pid}")
            await asyncio.sleep(0.1)
            it.predicted |= await it.unsure(pid)
            held = await it.ask(
                """select r.id from run r join worker w on w.id = r.owner_worker
                    where w.pid = $1 and r.status = 'running'""",
                pid,
            )
            if held:
                await it.until("select count(*) > $1 from run_event where type = 'run.lost'", lost)
            await asyncio.sleep(1.0 if full else 0.3)
            os.kill(pid, signal.SIGCONT)
            it.note(f"sigcont {pid}")
        done.set()
        await load
        await it.quiet(90)
        await check(it, exact_doubts=False)
        assert await it.times("run.lost") > 0, "no lease ended while a worker slept: the fault did not happen"


async def test_f_25_every_nudge_delivered_five_times_and_late(folder, full):
    runs = 500 if full else 30
    async with world(folder, nudges="repeated") as it:
        await it.load(runs, 0.05, pace=0.01)
        await it.quiet(60)
        count = it.transport().count
        it.note(f"repeated {count} nudges")
        figures = await check(it)
        assert figures["succeeded"] == runs and count > runs
        assert figures["repeated_and_absorbed"] == 0


async def test_f_26_every_nudge_lost(folder, full):
    runs = 500 if full else 30
    async with world(folder, nudges="dropped", slots=50) as it:
        await it.load(runs, 0.05, pace=0.05)
        await it.quiet(60)
        count = it.transport().count
        it.note(f"dropped {count} nudges")
        figures = await check(it)
        assert figures["succeeded"] == runs and count == runs
        assert await it.start_p95() <= 3.0


async def test_f_18_runs_that_crash_their_process_are_isolated_and_nobody_else_is_blamed(folder, full):
    """Each is begun exactly five times: three times beside others, twice alone; then it is dead, with the evidence."""
    good, poisons = (500, 5) if full else (30, 1)
    async with world(folder, workers=4 if full else 2) as it:
        bad = await it.start_all(steps.chain(("fault.poison", 0.05), name="poison"), poisons, "poison")
        load = asyncio.create_task(it.load(good, 0.1, pace=0.02, risky_share=0.0))
        alive = asyncio.create_task(it.keep_alive())
        await load
        await it.quiet(180)
        alive.cancel()
        await check(it)
        await begun_five_times(it, bad)
        rows = {row["id"]: row for row in await it.ask("select * from run")}
        for run in bad:
            assert (rows[run]["status"], rows[run]["lane"]) == ("dead", "quarantine")
            assert "killed by signal 11" in rows[run]["error"] and "e0" in rows[run]["error"]
        others = [row for run, row in rows.items() if run not in bad]
        assert all(row["status"] == "succeeded" for row in others)


async def begun_five_times(it: World, poisons: list[UUID]) -> None:
    """By the record of their crashes: beside others, or alone and seen. And the world was told of each beginning,
    unless another poison of the same process was quicker: between the record and the step it has others beside it.
    """
    crashes = await it.ask(
        """select run_id, (payload->>'pid')::int as pid, (payload->>'alone')::bool as alone, payload->>'how' as how
             from run_event
            where run_id = any ($1::uuid[]) and type in ('run.lost', 'run.dead') and (payload->>'begun')::bool""",
        poisons,
    )
    counted = Counter(row["run_id"] for row in crashes if not row["alone"] or row["how"] != "its lease ended")
    assert counted == dict.fromkeys(poisons, 5), f"crashes in a step that had begun: {counted}"
    told = Counter((UUID(call["run"]), call["pid"]) for call in it.calls() if call["kind"] == "start")
    began = Counter((row["run_id"], row["pid"]) for row in crashes)
    assert not told - began, f"begun without being on record: {told - began}"
    others = {pid for _, pid in told}
    silent = [row for row in crashes if (row["run_id"], row["pid"]) not in told]
    strange = [dict(row) for row in silent if row["alone"] or row["pid"] not in others]
    assert not strange, f"on record as begun, and nobody began it or killed its process: {strange}"
