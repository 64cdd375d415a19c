import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import anyio
import asyncpg
import pytest

from app import config
from app import db as database
from app.db import before_commit, on_commit, page_tx, site_tx, system_tx, tenant_tx
from tests.factories.kernel import a_workspace

ONE, TWO = uuid4(), uuid4()
COUNT = "insert into event_counter (workspace_id, last) values ($1, 1)"


@pytest.fixture(autouse=True)
async def two_workspaces(db):
    global ONE, TWO
    ONE, TWO = await a_workspace(), await a_workspace()


def in_use() -> int:
    return sum(pool.get_size() - pool.get_idle_size() for pool in database.pools.values())


async def rows(workspace) -> int:
    async with tenant_tx(workspace) as tx:
        return await tx.fetchval("select count(*) from event_counter")


async def test_a_workspace_sees_and_changes_only_its_own_rows():
    async with tenant_tx(ONE) as tx:
        await tx.execute(COUNT, ONE)
    async with tenant_tx(TWO) as tx:
        assert await tx.fetchval("select count(*) from event_counter") == 0
        assert await tx.execute("update event_counter set last = 9") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with tx.transaction():
                await tx.execute(COUNT, ONE)
    assert await rows(ONE) == 1


async def test_a_pooled_connection_forgets_the_workspace_that_used_it():
    for _ in range(3):
        async with tenant_tx(ONE) as tx:
            assert await tx.fetchval("select current_setting('app.workspace_id', true)") == str(ONE)
        async with database.pools["app"].acquire() as connection:
            assert not await connection.fetchval("select current_setting('app.workspace_id', true)")
            assert (
                await connection.fetchval("select count(*) from event") == 0
            )  # '' must read as "none", not as an error


async def test_the_role_survives_reset_and_cannot_be_widened_into_the_owner():
    async with tenant_tx(ONE) as tx:
        assert await tx.fetchval("select current_user") == "agentbase_app"
        await tx.execute("reset role")
        assert await tx.fetchval("select current_user") == "agentbase_app"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.transaction():
                await tx.execute("set role agentbase_owner")
    async with site_tx(ONE) as tx:
        assert await tx.fetchval("select current_user") == "agentbase_site"


async def test_system_sees_all_workspaces():
    async with tenant_tx(ONE) as tx:
        await tx.execute(COUNT, ONE)
    async with tenant_tx(TWO) as tx:
        await tx.execute(COUNT, TWO)
    async with system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from event_counter where workspace_id in ($1, $2)", ONE, TWO) == 2


async def test_nesting_the_same_workspace_joins_and_a_swallowed_failure_inside_leaves_no_trace():
    async with tenant_tx(ONE) as tx:
        await tx.execute(COUNT, ONE)
        with pytest.raises(ValueError):
            async with tenant_tx(ONE) as inner:
                assert inner is tx
                await inner.execute("update event_counter set last = 99")
                raise ValueError
    async with tenant_tx(ONE) as tx:
        assert await tx.fetchval("select last from event_counter") == 1


@pytest.mark.parametrize("other", [lambda: tenant_tx(TWO), lambda: system_tx("test"), lambda: site_tx(ONE)])
async def test_nesting_another_workspace_or_role_is_refused_and_the_outer_block_goes_on(other):
    async with tenant_tx(ONE) as tx:
        with pytest.raises(RuntimeError, match="finish the outer block first"):
            async with other():
                pass
        await tx.execute(COUNT, ONE)
    assert await rows(ONE) == 1


async def test_what_one_page_asks_shares_one_transaction_that_can_only_read():
    async with page_tx(ONE) as tx:
        async with tenant_tx(ONE) as inner:
            assert inner is tx and await inner.fetchval("show transaction_read_only") == "on"
        with pytest.raises(RuntimeError, match="finish the outer block first"):
            async with tenant_tx(TWO):
                pass
        async with tenant_tx(ONE) as inner:
            assert await inner.fetchval("select count(*) from event_counter") == 0
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with page_tx(ONE), tenant_tx(ONE) as inner:
            await inner.execute(COUNT, ONE)
    assert await rows(ONE) == 0


async def test_a_task_started_inside_does_not_share_the_transaction():
    async def aside() -> None:
        async with tenant_tx(TWO) as tx:
            await tx.execute(COUNT, TWO)

    async with tenant_tx(ONE) as tx:
        task = asyncio.create_task(aside())
        await tx.execute(COUNT, ONE)
        await task
    assert await rows(TWO) == 1


@pytest.mark.parametrize("way", ["anyio scope", "task.cancel", "timeout", "cancelled in a query"])
async def test_a_cancelled_block_rolls_back_and_gives_its_connection_back(way):
    async def work(started: anyio.Event) -> None:
        async with tenant_tx(ONE) as tx:
            await tx.execute(COUNT, ONE)
            started.set()
            if way == "cancelled in a query":
                await tx.execute("select pg_sleep(30)")
            await anyio.sleep(30)

    started = anyio.Event()
    if way == "timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await work(started)
    elif way == "task.cancel":
        task = asyncio.create_task(work(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(work, started)
            await started.wait()
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    assert in_use() == 0
    assert await rows(ONE) == 0


async def test_a_commit_that_fails_raises_and_leaks_nothing(settings):
    name = f"deferred_{uuid4().hex}"
    owner = await asyncpg.connect(settings.database_owner_url)
    await owner.execute(
        f"create table {name} (a int unique deferrable initially deferred); grant all on {name} to agentbase_app"
    )
    for _ in range(3):
        told = []
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tenant_tx(ONE) as tx:
                on_commit(lambda told=told: told.append(1))
                await tx.execute(f"insert into {name} values (1), (1)")
        assert not told
    assert in_use() == 0
    await owner.execute(f"drop table {name}")
    await owner.close()
    assert await rows(ONE) == 0  # and the next block works


async def test_a_connection_cut_by_the_server_in_mid_block_is_not_used_again():
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        async with tenant_tx(ONE) as tx:
            pid = await tx.fetchval("select pg_backend_pid()")
            async with system_tx_elsewhere(pid):
                pass
            await tx.execute(COUNT, ONE)
    assert in_use() == 0
    assert await rows(ONE) == 0


async def test_a_connection_that_breaks_while_it_is_made_is_made_once_more(db, monkeypatch):
    """As it happens when the machine stood still, and the server gave up on somebody silent."""
    real, seen = urlsplit(config.settings().database_url), []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        if len(seen) == 1:
            writer.close()
            return
        there, away = await asyncio.open_connection(real.hostname, real.port)
        await asyncio.gather(pass_on(reader, away), pass_on(there, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = urlunsplit(real._replace(netloc=f"{real.username}:{real.password}@127.0.0.1:{port}"))
    with config.using(database_url=config.Secret(through)):
        pool = await database.open_pool("app", "cli", least=0, most=1)
    monkeypatch.setitem(database.pools, "app", pool)
    assert await rows(ONE) == 0 and len(seen) == 2
    assert in_use() == 0
    await pool.close()
    server.close()


class system_tx_elsewhere:
    """Kill a backend from a plain owner connection."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    async def __aenter__(self) -> None:
        from app import config

        connection = await asyncpg.connect(config.settings().database_owner_url)
        await connection.execute("select pg_terminate_backend($1, 2000)", self.pid)
        await connection.close()

    async def __aexit__(self, *_: object) -> None: ...


async def test_what_must_happen_last_and_what_only_after_commit_do():
    seen: list[str] = []

    async def last(tx: object) -> None:
        seen.append("last")

    async with tenant_tx(ONE):
        on_commit(lambda: seen.append("after"))
        before_commit(last)
        seen.append("body")
    assert seen == ["body", "last", "after"]


async def test_time_limits_are_set_on_every_connection():
    async with tenant_tx(ONE) as tx:
        shown = {
            name: await tx.fetchval("select current_setting($1)", name)
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout", "TimeZone")
        }
        assert list(shown.values()) == ["5s", "30s", "10000", "UTC"]


async def test_piccolo_outside_a_block_is_refused_with_the_way_out(db):
    from piccolo.columns import BigInt
    from piccolo.table import Table

    class EventCounter(Table, tablename="event_counter", db=database.engine):
        last = BigInt(default=0)

    with pytest.raises(RuntimeError, match="async with tenant_tx"):
        await EventCounter.select(EventCounter.last)
    async with tenant_tx(ONE) as tx:
        await tx.execute(COUNT, ONE)
        assert await EventCounter.select(EventCounter.last) == [{"last": 1}]
        async with database.engine.transaction():
            await EventCounter.update({EventCounter.last: 5}, force=True)
    async with tenant_tx(ONE) as tx:
        assert await tx.fetchval("select last from event_counter") == 5


async def test_many_blocks_at_once_wait_for_a_connection_and_all_finish():
    async def one(number: int) -> None:
        workspace = workspaces[number]
        async with tenant_tx(workspace) as tx:
            await tx.execute(COUNT, workspace)
            assert await tx.fetchval("select count(*) from event_counter") == 1

    workspaces = [await a_workspace() for _ in range(60)]
    async with anyio.create_task_group() as group:
        for number in range(60):
            group.start_soon(one, number)
    assert in_use() == 0


async def test_connections_that_died_while_idle_are_replaced_without_anybody_noticing():
    from app import config

    async with anyio.create_task_group() as group:  # several connections in the pool
        for _ in range(5):
            group.start_soon(rows, ONE)
    owner = await asyncpg.connect(config.settings().database_owner_url)
    killed = await owner.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert killed >= 2
    for _ in range(5):
        assert await rows(ONE) == 0
    await owner.close()
    assert in_use() == 0


async def test_a_pool_that_is_used_up_answers_busy_instead_of_waiting_for_ever(monkeypatch):
    from app.errors import Unavailable

    async with anyio.create_task_group() as group:
        release = anyio.Event()

        async def hold(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with tenant_tx(ONE):
                task_status.started()
                await release.wait()

        for _ in range(8):
            await group.start(hold)
        monkeypatch.setattr(database, "ACQUIRE", 0.1)
        with pytest.raises(Unavailable, match="busy"):
            await rows(ONE)
        release.set()
    assert await rows(ONE) == 0
