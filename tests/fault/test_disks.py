"""Full disks: under PostgreSQL, under the worker's temporary files, under Redis."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from app.embedded.errors import StartProblem
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.disks import Disk, small_disk
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

SMALL_LOG = {"max_wal_size": "64MB", "min_wal_size": "32MB"}


async def test_f_19_the_disk_of_postgresql_is_full(folder, full):
    """It refuses, or stops with a panic; callers are told. What was acknowledged is there afterwards, and goes on."""
    runs, long = (200, 120.0) if full else (24, 6.0)
    with small_disk(folder / "disk", 384) as disk:
        where = disk.place / "postgres"
        async with world(folder, postgres_folder=where, settings=SMALL_LOG, birth={"dead_after": 15.0}) as it:
            done = asyncio.Event()
            load = asyncio.create_task(it.load(runs, 0.2, pace=0.05, until=done))
            await it.until("select count(*) > 4 from run where status = 'running'")
            disk.fill()
            it.note("disk full")
            await refused(it, disk)
            await asyncio.sleep(long)
            disk.free()
            it.note("disk free")
            await up_again(it)
            done.set()
            await load
            await it.quiet(120)
            figures = await check(it, exact_doubts=False)
            assert figures["faults"]["refused"] and figures["faults"]["disk"] == 2
            assert not await it.ask("select id from run where crash_count > 0"), "a full disk is no crash of a worker"


async def refused(it: World, disk: Disk) -> None:
    """Until a caller was told that its run can't be accepted: so long there was room in what PostgreSQL had already."""
    for n in range(400):
        disk.fill()
        with suppress(asyncpg.PostgresError, OSError):
            connection = await asyncpg.connect(it.owner, timeout=5)
            try:
                await connection.execute("select pg_switch_wal()", timeout=5)
            finally:
                connection.terminate()
        try:
            it.accepted.append(await it.start_once(f"while-full-{n}"))
        except Exception as problem:
            it.note(f"refused {problem!r}"[:200])
            return
    raise AssertionError("the disk is full, and everything is accepted: the fault did not happen")


async def up_again(it: World) -> None:
    """What a supervisor does."""
    for _ in range(20):
        process = it.postgres.process
        assert process is not None
        for _ in range(50):
            with suppress(OSError, asyncpg.PostgresError, TimeoutError):
                await (await asyncpg.connect(it.owner, timeout=5)).close()
                return
            if process.poll() is not None:
                break
            await asyncio.sleep(0.1)
        it.postgres.keep_port()
        with suppress(StartProblem):
            it.postgres.stop()
            it.start_postgres()
    raise AssertionError("PostgreSQL does not come back though its disk has room")


async def test_f_20_the_disks_for_temporary_files_are_full(folder, full):
    """Code that fills its own disk fails and says so, and leaves nothing; that of the worker is needed by no run."""
    runs = 100 if full else 8
    with small_disk(folder / "disk", 4) as disk:
        async with world(folder, birth={"temporary": str(disk.place), "full_python": True}) as it:
            it.note(f"disk full of {disk.fill()} bytes")
            flows = [(await it.flow(flow))[0] for flow in (steps.code(FILLS, "full"), steps.code(SPEAKS, "full"))]
            ids = {}
            for i in range(runs):
                for (workspace, version), kind in zip(flows, ("fills", "speaks"), strict=True):
                    ids[await it.start(workspace, version, f"{kind}-{i}")] = kind
            await it.load(runs, 0.05)
            await it.quiet(120)
            await check(it)
            rows = {row["id"]: row for row in await it.ask("select id, status, error from run")}
            unavailable = [row["error"] for row in rows.values() if "Full Python" in str(row["error"])]
            if unavailable:
                pytest.skip(f"No box for code can be had here: {unavailable[0]}")
            for run, row in rows.items():
                if ids.get(run) == "fills":
                    assert row["status"] == "failed" and "No space left" in row["error"], row["error"]
                else:
                    assert row["status"] == "succeeded", row["error"]
            assert {path.name for path in disk.place.iterdir()} == {"filler"}, "something was left behind"
            assert not await it.ask("select id from run where crash_count > 0")


FILLS = """
for n in range(1000):
    with open(f"{n}.bin", "wb") as file:
        file.write(bytes(1 << 20))
"""
SPEAKS = "return 6 * 7"


async def test_f_21_the_disk_of_redis_is_full(folder, full):
    """It refuses every write, as in F-06. Runs go on by the poll, and wake-ups are back when it has room."""
    runs, long = (200, 60.0) if full else (20, 4.0)
    with small_disk(folder / "disk", 16) as disk:
        async with world(folder, valkey_folder=disk.place / "valkey") as it:
            await it.load(runs, 0.05, prefix="before")
            disk.fill()
            async with asyncio.timeout(30):
                while await file_status(it) != "err":
                    await it.write_redis(f"filling {disk.fill()}")
            it.note("redis full")
            await it.load(runs, 0.05, pace=long / runs, prefix="full")
            await it.quiet(30)
            disk.free()
            async with asyncio.timeout(30):
                while await file_status(it) != "ok":
                    await asyncio.sleep(0.1)
            await it.load(runs, 0.05, prefix="after")
            await it.quiet(30)
            figures = await check(it)
            assert figures["succeeded"] == 3 * runs and figures["repeated_and_absorbed"] == 0
            assert await it.start_p95() <= 5.0


async def file_status(it: World) -> str:
    """Whether Redis could write its file the last time it tried."""
    return str((await it.redis("INFO", "persistence"))["aof_last_write_status"])
