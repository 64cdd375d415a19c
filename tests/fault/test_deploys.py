"""Workers come and go while runs are under way: rolling deploys."""

import asyncio
import os
import signal
import time
from types import ModuleType

import asyncpg
import pytest

import app.migrate
from app.embedded.process import running as running_process
from migrations import migration
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


EXPAND = """
alter table run add column fault_note text not null default '';
alter table node_exec add column fault_note text not null default '';
alter table run_event add column fault_note text not null default '';
create index fault_note_ix on run (fault_note) where fault_note <> '';
create table fault_extra (run_id uuid primary key references run (id) on delete cascade, note text not null default '');
"""
REDUCE = """
drop table fault_extra;
alter table run drop column fault_note;
alter table node_exec drop column fault_note;
alter table run_event drop column fault_note;
"""


async def test_f_33_the_schema_grows_under_load_and_is_taken_back(folder, full, monkeypatch):
    """Old and new workers go on with either; nobody waits for longer than a migration may wait for a table."""
    runs = 500 if full else 40
    async with world(folder, workers=2, birth={"without": OLD}) as it:
        [(workspace, version)] = await it.flow(steps.five_steps(0.2, risky=False))
        started, waits, done = [], [], asyncio.Event()

        async def load() -> None:
            while len(started) < runs or not done.is_set():
                begun = time.monotonic()
                started.append(await it.start_once_of(workspace, version, f"run-{len(started)}"))
                waits.append(time.monotonic() - begun)
                await asyncio.sleep(0.03)

        loading = asyncio.create_task(load())
        await it.until("select count(*) > 5 from run where status = 'running'")
        usual = max(waits)
        reader = await a_long_reader(it)
        for name, sql in (("1", EXPAND), ("2", REDUCE)):
            monkeypatch.setattr(app.migrate, "_modules", lambda name=name, sql=sql: [("runs", a_migration(name, sql))])
            [ran] = (await app.migrate.migrate()).ran
            it.note(f"migrated {ran}")
            await roll(it, [] if name == "1" else OLD)
            before = len(started)
            while len(started) < before + 10:
                await asyncio.sleep(0.05)
        done.set()
        await loading
        await reader
        await it.quiet(90)
        figures = await check(it)
        assert figures["faults"]["migrated"] == 2 and figures["succeeded"] == len(started)
        assert not await it.ask("select id from run where crash_count > 0"), "a deploy is no crash"
        tries = app.migrate.LOCK_WAIT
        assert max(waits) < usual + tries + 2.0, (
            f"a caller waited {max(waits):.1f} s, {usual:.1f} s without a migration"
        )


def a_migration(name: str, sql: str) -> ModuleType:
    module = ModuleType(f"fault_{name}")
    module.ID = f"fault:{name}"

    async def forwards():
        return migration("runs", module.ID, "A test's own.", sql)

    module.forwards = forwards
    return module


async def a_long_reader(it: World) -> "asyncio.Task[None]":
    """A report that reads runs for six seconds: a migration that waited for it would keep everybody waiting."""
    connection = await asyncpg.connect(it.owner)
    await connection.execute("begin; select count(*) from run")

    async def read() -> None:
        await asyncio.sleep(6)
        await connection.close()

    return asyncio.create_task(read())


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
