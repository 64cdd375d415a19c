"""`agentbase migrate`: roles, then every migration that has not run, under one lock. Safe to start any number of times.

Runs on DATABASE_OWNER_URL (else DATABASE_URL) over one direct connection: not through a pooler in transaction mode,
which would lose the lock.
"""

import asyncio
import importlib
import importlib.util
import pkgutil
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from types import ModuleType
from urllib.parse import unquote, urlsplit

import asyncpg
from msgspec import Struct

from app import config
from app.db import SafeTransaction, engine, reaching
from migrations import APP, DOMAINS, SITE, SYSTEM

OWNER = "agentbase_owner"
LOCK = 0x4167656E74  # "Agent": no other program takes an advisory lock of this number in our database
OLDEST = 18

LOCK_WAIT = 1.0
"""Seconds a migration waits for a table that is in use, with everybody who wants it after that behind it."""
TRIES, PAUSE = 100, 2.0
"""How often it tries, and the seconds in between."""

_RECORD = """
create table if not exists migration (
    id serial primary key,
    name varchar(200) not null,
    app_name varchar(200) not null,
    ran_on timestamp not null default (now() at time zone 'utc')
)
"""


class MigrationError(Exception):
    """The database can't be brought to this version. The message says what to do."""


class Done(Struct, frozen=True):
    """What one call did: the ids of the migrations it ran, in order; empty when all had run before."""

    ran: list[str]


async def migrate(owner_url: str = "", login_url: str = "") -> Done:
    """Bring the database to this version.

    `login_url`: its user (the web's and worker's, if not the owner) gets the three roles; a missing user is made.
    A second caller waits for the first and then finds nothing to do.
    Raises MigrationError when the server is too old or the owner may not make roles, Unavailable when it can't be
    reached.
    """
    async with _prepared(owner_url, login_url) as connection:
        return Done(await _run_missing(connection))


async def make_roles(owner_url: str = "", login_url: str = "") -> None:
    """The first part of `migrate`, and no more: what a backup of one database does not hold. Raises the same."""
    async with _prepared(owner_url, login_url):
        pass


@asynccontextmanager
async def _prepared(owner_url: str, login_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner, under the lock, with the roles made and the user of web and worker let in."""
    settings = config.settings()
    owner_url, login_url = owner_url or settings.owner_url, login_url or settings.database_url
    with reaching(owner_url):
        connection = await asyncpg.connect(
            owner_url, server_settings={"application_name": "agentbase-migrate"}, timeout=10
        )
    try:
        _refuse_old(connection.get_server_version().major)
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await _make_roles(connection)
        await _let_in(connection, login_url)
        yield connection
    finally:
        await connection.close(timeout=5)


async def pending(owner_url: str = "") -> list[str]:
    """The ids of migrations that have not run; reads only. For doctor, and for a web process that starts too early."""
    owner_url = owner_url or config.settings().owner_url
    with reaching(owner_url):
        connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        done = await _recorded(connection)
    finally:
        await connection.close(timeout=5)
    return [module.ID for domain, module in _modules() if (domain, module.ID) not in done]


def _refuse_old(major: int) -> None:
    if major < OLDEST:
        raise MigrationError(f"This is PostgreSQL {major}. Agentbase needs {OLDEST} or newer (uuidv7()).")


async def _make_roles(connection: asyncpg.Connection) -> None:
    """The four roles, once per server. Two databases of one server that migrate at once may both try."""
    may = await connection.fetchrow(
        "select rolsuper, rolcreaterole, rolname from pg_roles where rolname = current_user"
    )
    have = {row["rolname"] for row in await connection.fetch("select rolname from pg_roles")}
    missing = [role for role in (OWNER, APP, SYSTEM, SITE) if role not in have]
    if missing and not (may["rolsuper"] or may["rolcreaterole"]):
        raise MigrationError(
            f"The database user {may['rolname']!r} may not create the roles {', '.join(missing)}. "
            "Let it, or have an administrator run: "
            + " ".join(f"create role {role} nologin;" for role in missing)
            + f" grant {OWNER}, {APP}, {SYSTEM}, {SITE} to {_quoted(may['rolname'])};"
        )
    for role in missing:
        try:
            await connection.execute(f"create role {role} nologin noinherit")
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            pass
    if not may["rolsuper"]:  # a superuser is every role already
        await _grant(connection, (OWNER, APP, SYSTEM, SITE), may["rolname"])
    database = _quoted(await connection.fetchval("select current_database()"))
    with suppress(asyncpg.InsufficientPrivilegeError):  # somebody else's database says no, or only warns: asked below
        await connection.execute(f"grant create on database {database} to {OWNER}")
        await connection.execute(f"grant usage, create on schema public to {OWNER}")
        await connection.execute(f"grant usage on schema public to {APP}, {SYSTEM}, {SITE}")
    if not await connection.fetchval("select has_schema_privilege($1, 'public', 'create')", OWNER):
        raise MigrationError(
            f"The database user {may['rolname']!r} does not own this database. An administrator must run: "
            f"alter database {database} owner to {_quoted(may['rolname'])};"
        )


async def _let_in(connection: asyncpg.Connection, login_url: str) -> None:
    """The user of web and worker may become app, system or site, and has no rights of its own."""
    parts = urlsplit(login_url)
    user = unquote(parts.username or "")
    if not user or user == await connection.fetchval("select session_user"):
        return
    if not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", user):
        # DDL takes no parameters; quote_literal is the server's own.
        password = await connection.fetchval("select quote_literal($1::text)", unquote(parts.password or ""))
        try:
            await connection.execute(f"create role {_quoted(user)} login noinherit password {password}")
        except asyncpg.InsufficientPrivilegeError:
            raise MigrationError(
                f"The user {user!r} of DATABASE_URL does not exist, and the owner may not make it."
            ) from None
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            pass
    await _grant(connection, (APP, SYSTEM, SITE), user)


async def _grant(connection: asyncpg.Connection, roles: tuple[str, ...], user: str) -> None:
    """Membership to switch to, never to inherit: without choosing a role the user sees nothing."""
    for role in roles:
        if await connection.fetchval(
            "select exists (select from pg_auth_members m join pg_roles r on r.oid = m.roleid "
            "join pg_roles u on u.oid = m.member where r.rolname = $1 and u.rolname = $2 and m.set_option)",
            role,
            user,
        ):
            continue
        for attempt in range(
            5
        ):  # role changes of another database's migration at the same moment collide in the catalogue
            try:
                await connection.execute(f"grant {role} to {_quoted(user)} with inherit false, set true")
                break
            except (asyncpg.InternalServerError, asyncpg.UniqueViolationError):
                if attempt == 4:
                    raise
                await asyncio.sleep(0.05 * 2**attempt)
            except asyncpg.InsufficientPrivilegeError:
                raise MigrationError(
                    "An administrator must run: "
                    f"grant {', '.join(roles)} to {_quoted(user)} with inherit false, set true;"
                ) from None


async def _run_missing(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(f"set role {OWNER}")
    await connection.execute(_RECORD)
    done = await _recorded(connection)
    ran = []
    for domain, module in _modules():
        if (domain, module.ID) in done:
            continue
        await _run_one(connection, domain, module)
        ran.append(module.ID)
    await connection.execute("reset role")
    return ran


async def _run_one(connection: asyncpg.Connection, domain: str, module: ModuleType) -> None:
    """Whoever waits for a table keeps everybody else waiting behind him: so not for long, and rather again."""
    for left in range(TRIES - 1, -1, -1):
        try:
            async with _inside(connection):
                await connection.execute(f"set local lock_timeout = '{LOCK_WAIT:g}s'")
                manager = await module.forwards()
                for statement in manager.raw:
                    await statement()
                await connection.execute("insert into migration (name, app_name) values ($1, $2)", module.ID, domain)
            return
        except asyncpg.LockNotAvailableError:
            if not left:
                raise MigrationError(
                    f"{module.ID} could not lock its tables: something has used them for minutes. Look for a "
                    "long transaction in pg_stat_activity, then start this again."
                ) from None
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)  # noqa: S311 -- no secret


async def _recorded(connection: asyncpg.Connection) -> set[tuple[str, str]]:
    if await connection.fetchval("select to_regclass('public.migration')") is None:
        return set()
    return {(row["app_name"], row["name"]) for row in await connection.fetch("select app_name, name from migration")}


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """(domain, module) in the order they run. A domain without a folder has no tables yet."""
    for domain in DOMAINS:
        spec = importlib.util.find_spec(f"migrations.{domain}")
        if spec is None or spec.submodule_search_locations is None:
            continue
        for name in sorted(found.name for found in pkgutil.iter_modules(spec.submodule_search_locations)):
            yield domain, importlib.import_module(f"migrations.{domain}.{name}")


@asynccontextmanager
async def _inside(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction on the owner's connection, which Piccolo's engine (so `migrations.migration`) takes for its own."""
    block = SafeTransaction(engine, "system", None, "a migration")
    async with connection.transaction():
        block.connection = connection
        token = engine.current_transaction.set(block)
        try:
            yield
        finally:
            engine.current_transaction.reset(token)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
