"""The only way to a connection: `tenant_tx`, `page_tx`, `system_tx`, `site_tx`. Each is one transaction under one role.

    async with tenant_tx(workspace_id) as tx:
        await Flow.select()...              # Piccolo inside the block uses the same connection
        await tx.fetch("select … $1", x)    # tx is the asyncpg connection

Never gather inside a block: it is one connection. A task started inside does not inherit the transaction.
Nesting the same kind for the same workspace joins (as a savepoint); anything else raises.
Piccolo's own transaction loses its pool connection when cancelled or when COMMIT fails; this one does not
(docs/adr/0002-safe-engine.md).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Any, Literal, Protocol, TypeAlias, cast
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

import anyio
import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from app import config
from app.errors import DomainError, Refused, Unavailable

Role = Literal["app", "system", "site"]
Kind = Literal["web", "worker", "public", "cli"]
Pool: TypeAlias = Any
"""An asyncpg pool (asyncpg ships no types)."""


class Tx(Protocol):
    """What a transaction block yields: an asyncpg connection, of which this is the part to use."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    async def fetchrow(self, query: str, *args: Any) -> Any: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...
    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str]
    ) -> str: ...
    def cursor(self, query: str, *args: Any) -> Any: ...
    def transaction(self, *, readonly: bool = False) -> AbstractAsyncContextManager[Any]:
        """A savepoint, because a transaction is already open."""
        ...


Block: TypeAlias = AbstractAsyncContextManager[Tx]


GIVE_UP = 5.0
"""Seconds that rolling back and giving back a connection may take; then it is cut off."""
ACQUIRE = 10.0
"""Seconds to wait for a free connection before answering 503."""

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked in the very moment in which the connection breaks
)
"""What asyncpg raises when there is nobody at the other end."""
BUSY = (
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.SerializationError,
)
"""Somebody else was in the way, or it took too long. The transaction is undone; the same again may go through."""
CUT_OFF = (
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.PostgresConnectionError,
)

SIZES: dict[Kind, dict[Role, tuple[int, int]]] = {
    "web": {"app": (1, 10), "system": (0, 4), "site": (0, 6)},
    "worker": {"app": (1, 10), "system": (1, 4), "site": (0, 2)},
    "public": {"app": (0, 4), "system": (0, 2), "site": (1, 10)},
    "cli": {"app": (0, 2), "system": (0, 2), "site": (0, 1)},
}
"""Connections kept and at most opened, per process."""

pools: dict[Role, Pool] = {}
"""The running pools, for the few that speak COPY, LISTEN or hot SQL without a tenant block. Empty until `start()`."""


class SafeTransaction(PostgresTransaction):
    """One transaction on a connection of one pool. What was bought from the pool goes back, whatever happens."""

    connection: Tx

    def __init__(
        self, engine: "SafeEngine", role: Role, workspace_id: UUID | None, acting: str, reads: bool = False
    ) -> None:
        super().__init__(engine, allow_nested=True)
        self.role, self.workspace_id, self.acting, self.reads = role, workspace_id, acting, reads
        self.task = asyncio.current_task()
        self.before_commit: list[Callable[[Tx], Awaitable[None]]] = []
        self.very_last: list[Callable[[Tx], Awaitable[None]]] = []
        self.after_commit: list[Callable[[], None]] = []
        self.events: list[Any] = []  # what app.events writes at the end of this transaction

    async def __aenter__(self) -> "SafeTransaction":
        self.pool = _pool(self.role)
        for left in range(self.pool.get_max_size(), -1, -1):
            await self._take()
            try:
                self.transaction = self.connection.transaction(readonly=self.reads)
                await self.transaction.start()
                if self.workspace_id is not None:
                    await self.connection.execute(
                        "select set_config('app.workspace_id', $1, true)", str(self.workspace_id)
                    )
                break
            except LOST as problem:
                # The server was restarted while this connection was idle. Nothing was asked of it yet: take another,
                # as often as there are idle ones. A server that is really away is noticed by opening a new one.
                await self._give_back(broken=True)
                if not left:
                    raise Unavailable("The database does not answer at the moment.") from problem
            except BaseException:
                await self._give_back(broken=True)
                raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def _take(self) -> None:
        try:
            try:
                self.connection = cast(Tx, await self.pool.acquire(timeout=ACQUIRE))
            except ConnectionError as problem:
                # Cut off while it was being made. The server may be fine: it gives up on who is silent for a minute,
                # as a machine is that stood still. One that is away refuses the second time, too.
                if isinstance(problem, ConnectionRefusedError):
                    raise
                self.connection = cast(Tx, await self.pool.acquire(timeout=ACQUIRE))
        except TimeoutError:
            raise Unavailable("The database is busy: no free connection came up within 10 seconds.") from None
        except (*LOST, asyncpg.TooManyConnectionsError) as problem:
            raise Unavailable("The database does not answer at the moment.") from problem

    async def __aexit__(self, kind: Any, problem: BaseException | None, trace: Any) -> bool:
        broken = True
        try:
            # Still inside the transaction for those who act last (the event log), then never again.
            if problem is None:
                for act in (*self.before_commit, *self.very_last):
                    await act(self.connection)
            self._leave()
            with anyio.move_on_after(GIVE_UP, shield=True) as limit:
                if problem is None:
                    await self.transaction.commit()
                else:
                    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # they would hide `problem`
                        await self.transaction.rollback()
                broken = self.transaction._state.name not in {"COMMITTED", "ROLLEDBACK"}
            if limit.cancelled_caught and problem is None:
                raise Unavailable("The database did not confirm in time: the change may or may not have been saved.")
        finally:
            self._leave()
            await self._give_back(broken)
        if problem is None:
            for tell in self.after_commit:
                tell()
        return False

    def _leave(self) -> None:
        if self.task is not None and self.engine.current_transaction.get() is self:
            self.engine.current_transaction.reset(self.context)
        self.task = None

    async def _give_back(self, broken: bool) -> None:
        """`broken`: it is not known in which state the connection is, so it is closed instead of used again."""
        with anyio.move_on_after(GIVE_UP + 1, shield=True):
            if broken:
                with suppress(asyncpg.InterfaceError):  # a lost connection has already left the pool by itself
                    cast(Any, self.connection).terminate()
            await self.pool.release(self.connection, timeout=GIVE_UP)


class SafeEngine(PostgresEngine):
    """Piccolo's engine, but every query runs in the transaction of the block around it, and there must be one."""

    def open_transaction(self) -> SafeTransaction | None:
        """The transaction of this task, or None: a task started inside a block does not share its connection."""
        current = cast(SafeTransaction | None, self.current_transaction.get())
        return current if current is not None and current.task is asyncio.current_task() else None

    async def run_querystring(self, querystring: Any, in_pool: bool = True) -> Any:
        query, arguments = querystring.compile_string(engine_type=self.engine_type)
        return await self._here().connection.fetch(query, *arguments)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        return await self._here().connection.fetch(ddl)

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        """Piccolo's own door. It would not know the workspace, so it only lets in who is already inside a block."""
        return cast(PostgresTransaction, _Inside(self._here()))

    async def get_new_connection(self) -> Any:
        raise RuntimeError("Connections come from tenant_tx, system_tx or site_tx only: a bare one has no workspace.")

    async def get_version(self) -> float:
        return 18.0  # Piccolo asks to choose SQL dialects; asking the server would need a connection outside a block

    def _here(self) -> SafeTransaction:
        current = self.open_transaction()
        if current is None:
            raise RuntimeError(
                "This query is outside a transaction block (or in a task started inside one). "
                "Put it into: async with tenant_tx(workspace_id)."
            )
        return current


class _Inside:
    """A no-op transaction around code of Piccolo that wants one while we already are in ours."""

    def __init__(self, outer: SafeTransaction) -> None:
        self.outer = outer

    async def __aenter__(self) -> SafeTransaction:
        return self.outer

    async def __aexit__(self, *_: object) -> bool:
        return False


engine = SafeEngine(config={"database": "agentbase"}, extensions=())


def server_settings(role: str, kind: Kind) -> dict[str, str]:
    """Settings every connection starts with, and goes back to at RESET (reliability 2.5)."""
    return {
        "role": f"agentbase_{role}",
        "application_name": f"agentbase-{kind}-{role}",
        "statement_timeout": "60s" if kind in {"worker", "cli"} else "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "tcp_user_timeout": "10s",
        "TimeZone": "UTC",
    }


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Around making a connection: whatever keeps it from being made becomes one sentence. Raises Unavailable."""
    place = urlsplit(url)
    setting = "DATABASE_OWNER_URL" if url == config.settings().database_owner_url else "DATABASE_URL"
    try:
        yield
    except asyncpg.InvalidAuthorizationSpecificationError as problem:
        why = f"does not let {unquote(place.username or '')!r} in with this password"
        raise _unreachable(place, why, f"Check user and password in {setting}.") from problem
    except asyncpg.InvalidCatalogNameError as problem:
        why = f"has no database {unquote(place.path.lstrip('/'))!r}"
        raise _unreachable(place, why, f"Make it, or name another one in {setting}.") from problem
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as problem:
        why = f"is not prepared for Agentbase ({problem})"
        raise _unreachable(place, why, "Run agentbase migrate, with DATABASE_OWNER_URL set to its owner.") from problem
    except (*LOST, TimeoutError, asyncpg.TooManyConnectionsError) as problem:
        why = f"does not answer ({getattr(problem, 'strerror', '') or problem or 'no answer in time'})"
        raise _unreachable(place, why, f"Is {setting} right, and is the server running?") from problem


def _unreachable(place: SplitResult, why: str, remedy: str) -> Unavailable:
    return Unavailable(f"The database at {place.hostname}:{place.port or 5432} {why}.", remedy=remedy)


async def open_pool(
    role: Role,
    kind: Kind,
    *,
    least: int,
    most: int,
    init: Callable[[Any], Awaitable[None]] | None = None,
    **settings: str,
) -> Pool:
    """A pool under one role with our time limits. `init` may set codecs: only on pools that Piccolo never sees.

    `settings`: PostgreSQL's own, over `server_settings`.
    """
    url = config.settings().database_url
    if not url:
        raise config.SettingError(
            "Setting DATABASE_URL is missing. Expected e.g. postgresql://user@db/agentbase; "
            "see docs/operate/settings.md."
        )
    with reaching(url):
        pool = await asyncpg.create_pool(
            url,
            min_size=least,
            max_size=most,
            server_settings=server_settings(role, kind) | settings,
            # One more than the server's own limit: it speaks only when the server no longer can.
            command_timeout=65 if kind in {"worker", "cli"} else 20,
            max_inactive_connection_lifetime=120,
            init=init,
            reset=_as_it_is,
        )
    return cast(Pool, pool)


async def _as_it_is(connection: Any) -> None:
    """What a connection is given back with: no RESET ALL, which would be one more exchange for every transaction.

    The driver has rolled back what was left open. Settings need no reset because nothing here sets one for longer than
    a transaction (tests/app/db/test_session_state.py reads the sources for it).
    """


UNSPEAKABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What it says to the one character that no text in PostgreSQL may hold: NUL."""


def for_people(error: Exception) -> Exception:
    """What the database could not do at this moment as Unavailable (503, try again), and what it can't keep as Refused
    (422); any other error as it is.
    """
    told: DomainError
    if isinstance(error, UNSPEAKABLE):
        told = Refused("This holds a character that can't be kept (NUL).", remedy="Take it out, or type the text anew.")
    elif isinstance(error, BUSY):
        told = Unavailable("The database was busy with something else. Nothing was changed.", remedy="Try once more.")
    elif isinstance(error, asyncpg.DiskFullError):
        told = Unavailable(
            "The disk of the database is full. Nothing was changed.",
            remedy="Try again once there is some space on it; nothing needs a restart.",
            retry_after=60,
        )
    elif isinstance(error, CUT_OFF):
        told = Unavailable("The database was restarted in the middle of this.", remedy="Look, and try once more.")
    else:
        return error
    told.__cause__ = error
    return told


async def start(kind: Kind = "web", sizes: dict[Role, tuple[int, int]] | None = None) -> None:
    """Open the pools of this process. Called in the lifespan of each composition root; raises what the server says."""
    if pools:
        raise RuntimeError("The database pools are already running in this process.")
    try:
        for role, (least, most) in (sizes or SIZES[kind]).items():
            pools[role] = await open_pool(role, kind, least=least, most=most)
    except BaseException:
        await stop()
        raise


async def stop() -> None:
    """Close the pools: what is in flight gets 3 seconds, then the connections are cut."""
    closing = list(pools.values())
    pools.clear()
    for pool in closing:
        with anyio.move_on_after(3, shield=True):
            await pool.close()
        pool.terminate()


def _pool(role: Role) -> Pool:
    try:
        return pools[role]
    except KeyError:
        raise RuntimeError(f"No database pool for the role {role!r} is running: await app.db.start() first.") from None


@asynccontextmanager
async def _block(role: Role, workspace_id: UUID | None, acting: str, reads: bool = False) -> AsyncIterator[Tx]:
    outer = engine.open_transaction()
    if outer is None:
        async with SafeTransaction(engine, role, workspace_id, acting, reads) as block:
            yield block.connection
        return
    if (outer.role, outer.workspace_id) != (role, workspace_id):
        raise RuntimeError(
            f"A transaction of {acting} inside one of {outer.acting}: finish the outer block first. "
            "Two workspaces or two roles never share a transaction."
        )
    if outer.reads:
        yield outer.connection
        return
    promised = [(kept, len(kept)) for kept in (outer.before_commit, outer.very_last, outer.after_commit, outer.events)]
    try:
        async with (
            outer.connection.transaction()
        ):  # a savepoint: if this part fails and somebody goes on, no trace stays
            yield outer.connection
    except BaseException:
        for kept, length in promised:
            del cast(list[Any], kept)[length:]
        raise


def tenant_tx(workspace_id: UUID) -> Block:
    """One transaction of one workspace, as agentbase_app: row security hides and refuses everything else."""
    return _block("app", workspace_id, f"workspace {workspace_id}")


def page_tx(workspace_id: UUID) -> Block:
    """Everything one page asks, in one read-only transaction: the tenant_tx blocks of the queries inside share it.

    They then cost one exchange with the database each instead of five. A statement that fails ends the whole of it, so
    nobody inside may go on after a failure. What takes long (a model, a file, rendering) belongs after the block.
    """
    return _block("app", workspace_id, f"a page of workspace {workspace_id}", reads=True)


def site_tx(workspace_id: UUID) -> Block:
    """One transaction of a visitor, as agentbase_site: reads what is published, inserts what visitors send."""
    return _block("site", workspace_id, f"a site of workspace {workspace_id}")


def system_tx(why: str) -> Block:
    """One transaction across workspaces, as agentbase_system. `why`: a short reason, for errors: "sign in", "sweep"."""
    return _block("system", None, f"the system ({why})")


def on_commit(tell: Callable[[], None]) -> None:
    """Call `tell` (quick, not async) once the transaction around is committed; never if it is rolled back.

    Must be inside a block. What `tell` raises reaches whoever leaves the block, though all is saved: catch your own.
    """
    engine._here().after_commit.append(tell)


def before_commit(act: Callable[[Tx], Awaitable[None]]) -> None:
    """Await `act(tx)` as the very last thing in the transaction around, just before COMMIT; its failure rolls back."""
    engine._here().before_commit.append(act)
