import asyncio
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from app import config, db
from app.embedded.postgres import EmbeddedPostgres
from app.migrate import MigrationError, migrate, pending
from tests.factories.kernel import a_workspace
from tests.servers import FAST, run_sql, with_database

ROLES = ("agentbase_site", "agentbase_system", "agentbase_app", "agentbase_owner")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A server of its own whose superuser `postgres` is all there is: no roles and no database of ours."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("bare"), settings=FAST)
    url = with_database(server.start().owner, "postgres")
    asyncio.run(run_sql(url, "drop database agentbase", f"drop role agentbase, {', '.join(ROLES)}"))
    yield url
    server.stop()


@pytest.fixture
async def fresh(bare):
    """An empty database on it; afterwards the server is bare again."""
    name = f"m_{uuid4().hex[:12]}"
    await run_sql(bare, f"create database {name}")
    yield with_database(bare, name)
    await run_sql(bare, f"drop database {name} with (force)")
    have = await asyncpg.connect(bare)
    for role in ("dba", "owner_login", "web_login", "nobody", *ROLES):
        if await have.fetchval("select exists (select from pg_roles where rolname = $1)", role):
            await have.execute(f"drop owned by {role}")
            await have.execute(f"drop role {role}")
    await have.close()


def as_user(url: str, user: str, password: str = "pw") -> str:
    place = urlsplit(url)
    return urlunsplit(place._replace(netloc=f"{user}:{password}@{place.hostname}:{place.port}"))


async def use(url: str, owner: str) -> None:
    """The database serves: a workspace, its rows, and nobody else's."""
    with config.using(database_url=config.Secret(url), database_owner_url=config.Secret(owner)):
        await db.start("cli")
        try:
            one, two = await a_workspace(), await a_workspace()
            async with db.tenant_tx(one) as tx:
                assert await tx.fetchval("select current_user") == "agentbase_app"
                await tx.execute("insert into event_counter (workspace_id, last) values ($1, 1)", one)
            async with db.tenant_tx(two) as tx:
                assert await tx.fetchval("select count(*) from event_counter") == 0
        finally:
            await db.stop()


async def test_a_superuser_makes_everything_and_the_second_time_there_is_nothing_to_do(fresh):
    waiting = await pending(fresh)
    assert (await migrate(fresh, fresh)).ran == waiting and len(waiting) >= 5
    assert (await migrate(fresh, fresh)).ran == [] == await pending(fresh)
    await use(fresh, fresh)


async def test_many_at_once_run_each_migration_once(fresh):
    done = await asyncio.gather(*(migrate(fresh, fresh) for _ in range(4)))
    ran = [one.ran for one in done if one.ran]
    assert len(ran) == 1 and len(set(ran[0])) == len(ran[0])


async def test_the_web_login_is_made_and_can_do_nothing_before_it_takes_a_role(fresh):
    login = as_user(fresh, "web_login", "pa'ss")
    await migrate(fresh, login)
    await use(login, fresh)
    connection = await asyncpg.connect(login)
    for statement in ("select * from workspace", "set role agentbase_owner", "create table x (a int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_an_owner_who_is_no_superuser_but_may_create_roles_is_enough(fresh):
    name = urlsplit(fresh).path.lstrip("/")
    await run_sql(
        fresh,
        "create role dba login createrole password 'pw'",
        f"alter database {name} owner to dba",
        "create extension if not exists vector",
        "create extension if not exists pg_trgm",
    )
    dba = as_user(fresh, "dba")
    await migrate(dba, dba)
    await use(dba, dba)


async def test_an_owner_who_may_not_create_roles_is_told_what_an_administrator_must_run(fresh):
    await run_sql(fresh, "create role nobody login password 'pw'")
    with pytest.raises(MigrationError, match="create role agentbase_owner nologin") as refused:
        await migrate(as_user(fresh, "nobody"), fresh)
    assert 'to "nobody"' in str(refused.value)


async def test_a_database_of_somebody_else_is_refused_with_the_way_out(fresh):
    await run_sql(fresh, "create role dba login createrole password 'pw'")
    with pytest.raises(MigrationError, match="alter database"):
        await migrate(as_user(fresh, "dba"), as_user(fresh, "dba"))


async def test_a_migration_that_fails_leaves_nothing_of_itself_and_the_next_start_goes_on(fresh, monkeypatch):
    from migrations.events import events_2026_11_21_0001 as last

    monkeypatch.setattr(last, "SQL", "create table half (a int); select 1/0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(fresh, fresh)
    connection = await asyncpg.connect(fresh)
    assert await connection.fetchval("select to_regclass('half')") is None
    assert await connection.fetchval("select to_regclass('event')") is not None
    await connection.close()
    monkeypatch.undo()
    assert last.ID in (await migrate(fresh, fresh)).ran
