"""Workers come and go while runs are under way: rolling deploys."""

import asyncio
import os
import signal

import pytest

from app.embedded.process import running as running_process
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

OLD = ["fault.deaf"]
"""What the old release does not have yet."""


async def test_f_32_a_rolling_deploy_there_and_back(folder, full):
    """Nobody is blamed for a crash, no run changes its version, and old workers leave alone what only new ones have."""
    runs = 500 if full else 40
    async with world(folder, workers=2, birth={"without": OLD}) as it:
        [(workspace, old)] = await it.flow(steps.five_steps(0.3, risky=True))
        [(_, new)] = await it.flow(steps.chain(("fault.idem", 0.05), ("fault.deaf", 0.05), name="only the new release"))
        started = []
        done = asyncio.Event()

        async def load() -> None:
            while len(started) < runs or not done.is_set():
                version = new if len(started) % 3 == 0 else old
                started.append(await it.start(workspace, version, f"run-{len(started)}"))
                await asyncio.sleep(0.04)

        loading = asyncio.create_task(load())
        before = await pids(it)
        await it.until("select count(*) > 5 from run where status = 'running'")
        await roll(it, [])  # to the new release
        await it.until(
            """select count(*) > 0 from node_exec n join run r on r.id = n.run_id
                where r.version_id = $1 and n.status = 'succeeded'""",
            new,
        )
        newer = await pids(it) - before
        await roll(it, OLD)  # and back: what only the new release has must wait
        oldest = await pids(it) - before - newer
        done.set()
        await loading
        last = await it.spawn()
        await it.until("select exists (select from worker where pid = $1)", last)
        newer |= await pids(it) - before - newer - oldest
        await it.quiet(90)
        await check(it, exact_doubts=False)
        assert not await it.ask("select id from run where crash_count > 0"), "a deploy is no crash"
        strangers = await it.ask(
            """select distinct w.pid from node_attempt a join run r on r.id = a.run_id join worker w on w.id = a.worker
                where r.version_id = $1""", new,
        )  # fmt: skip
        assert {row["pid"] for row in strangers} <= newer, "an old worker took a run with a step it does not have"
        assert not await it.ask("select id from run where version_id not in ($1, $2)", old, new)
        assert it.rolled == 4


async def pids(it: World) -> set[int]:
    return {row["pid"] for row in await it.ask("select pid from worker where pid > 0 and lanes <> '{quarantine}'")}


async def roll(it: World, without: list[str]) -> None:
    """Replace the workers one by one: SIGTERM, wait until it is gone, the next release in its place."""
    for pid in list(it.workers):
        os.kill(pid, signal.SIGTERM)
        it.note(f"sigterm {pid}")
        async with asyncio.timeout(60):
            while running_process(pid):
                await asyncio.sleep(0.05)
        it.workers.remove(pid)
        it.rolled += 1
        await it.spawn(without=without)
    await it.until("select count(*) >= 2 from worker where stopped_at is null and pid = any ($1::int[])", it.workers)
