"""What people and clocks do to runs while servers die: cancel, signal, wait."""

import asyncio

import pytest

from app.errors import Conflict
from app.runs import service
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]


async def test_f_34_runs_cancelled_at_any_moment_and_twice_while_workers_are_killed(folder, full, chance):
    """All end within 20 s, no step begins after its run was cancelled, and what may have happened is a doubt."""
    runs, kills = (500, 10) if full else (30, 2)
    async with world(folder, workers=3) as it:
        [(workspace, version)] = await it.flow(steps.five_steps(0.4, risky=True))
        given = []

        async def cancel_all() -> None:
            while len(given) < runs:
                run = await it.start(workspace, version, f"c-{len(given)}")
                given.append(run)
                if len(given) % 4:
                    asyncio.get_running_loop().call_later(chance.uniform(0, 3), lambda run=run: later(run))

        asked: set[asyncio.Task[None]] = set()

        def later(run: object) -> None:
            task = asyncio.create_task(twice(run))
            asked.add(task)

        async def twice(run: object) -> None:
            for _ in range(2):
                await service.cancel(workspace, run)
                await asyncio.sleep(chance.uniform(0, 0.3))

        load = asyncio.create_task(cancel_all())
        for _ in range(kills):
            pid = await it.busy_worker(chance)
            if pid is None:
                break
            await it.kill(pid)
            await it.spawn()
        await load
        await asyncio.sleep(3.1)
        await asyncio.gather(*asked)
        it.note(f"cancelled {len(asked)} runs twice")
        await it.quiet(40)
        await check(it, exact_doubts=False, doubts_may_be_cancelled=True)
        statuses = {row["status"] for row in await it.ask("select status from run")}
        assert "cancelled" in statuses and statuses <= {"cancelled", "succeeded", "in_doubt"}
        late = await it.ask(
            """select id from run
                where status = 'cancelled' and finished_at - cancel_requested_at > interval '20 seconds'"""
        )
        assert not late, f"ended too late: {late}"
        begun = await it.ask(
            """select a.run_id from node_attempt a join run_event e on e.run_id = a.run_id and e.type = 'run.cancelled'
                where a.started_at > e.created_at + interval '0.2 seconds'"""
        )
        assert not begun, f"a step began after the run was cancelled: {begun}"


async def restart_everything(it: World, workers: int) -> None:
    for pid in list(it.workers):
        await it.kill(pid)
    it.restart_postgres()
    it.wipe_redis()
    for _ in range(workers):
        await it.spawn()


async def test_f_35_people_answer_while_everything_is_restarted(folder, full, chance):
    """Each answer comes three times, some before the question: every run goes on exactly once."""
    runs = 100 if full else 20
    async with world(folder) as it:
        [(workspace, version)] = await it.flow(steps.asking())
        early = [await it.start(workspace, version, f"early-{i}") for i in range(runs // 4)]
        for run in early:  # most of them have not asked yet
            await answer(it, workspace, run, "first")
        asked = [await it.start(workspace, version, f"run-{i}") for i in range(runs - len(early))]
        await it.until("select count(*) = $1 from run where status in ('waiting', 'succeeded')", runs)
        await restart_everything(it, 2)
        for times in ("first", "second", "third"):
            for run in [*early, *asked]:
                await answer(it, workspace, run, times)
        await it.quiet(60)
        figures = await check(it)
        assert figures["succeeded"] == runs
        once = await it.ask(
            "select run_id from run_event where type = 'run.succeeded' group by run_id having count(*) > 1"
        )
        assert not once


async def answer(it: World, workspace: object, run: object, times: str) -> None:
    for _ in range(100):
        try:
            await service.signal(workspace, run, "approval", {"choice": "approve"}, dedupe_key="the one answer")
            return
        except Conflict:
            return  # it has gone on and ended with the first of them
        except Exception:  # the database is just being restarted
            await asyncio.sleep(0.1)
    raise AssertionError("the answer could not be given")


async def test_f_36_timers_that_come_due_together(folder, full, chance):
    """Each rings once; nobody waits for much longer than it should, even when everything is restarted meanwhile."""
    runs, wait, restart = (5000, 60.0, True) if full else (60, 3.0, True)
    async with world(folder, slots=50) as it:
        [(workspace, version)] = await it.flow(steps.resting(wait))
        await asyncio.gather(*(start_many(it, workspace, version, n, runs) for n in range(6)))
        await it.until(
            "select count(*) filter (where status in ('waiting', 'succeeded')) = $1 from run", runs, seconds=300
        )
        if restart:
            await restart_everything(it, 2)
        await it.quiet(300)
        figures = await check(it)
        assert figures["succeeded"] == runs
        [late] = await it.ask(
            """select percentile_cont(0.99) within group (order by extract(epoch from b.started_at - a.finished_at))
                 from node_exec a join node_exec b on b.run_id = a.run_id
                where a.node_id = 'e0' and b.node_id = 'e1'"""
        )
        early = await it.ask(
            """select a.run_id from node_exec a join node_exec b on b.run_id = a.run_id and b.node_id = 'e1'
                where a.node_id = 'e0' and b.started_at < a.finished_at + $1 * interval '1 second'""",
            wait - 0.5,
        )
        assert not early, "a timer rang early"
        assert late[0] - wait <= 40.0, f"late by {late[0] - wait:.1f} s"
        it.note(f"late by {late[0] - wait:.1f} s")


async def start_many(it: World, workspace: object, version: object, n: int, runs: int) -> None:
    for i in range(n, runs, 6):
        await it.start(workspace, version, f"timer-{i}")
