"""Connections that may die at any moment: how one is borrowed, and which errors mean that nobody was there.

A network that swallows packets tells nobody. So every conversation with PostgreSQL has a time limit of its own, and a
connection that did not answer in time is cut off instead of being given back: whoever asks next gets another one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

ANSWER = 15.0
"""Seconds a conversation may take: less than a lease, so that a dead connection is noticed while the run is ours."""

GIVE_BACK = 5.0

OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked in the very moment in which the connection breaks
    asyncpg.OperatorInterventionError,  # shutting down, starting up, a statement that was cancelled
    asyncpg.InsufficientResourcesError,  # disk full, memory, too many connections
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is being promoted
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""The database is away or busy: the same statement is worth sending again. Not among them: `refused`."""


def refused(error: BaseException) -> bool:
    """The driver can't encode a value: it says so with an InterfaceError, though the database is there."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


@asynccontextmanager
async def borrowed(pool: "asyncpg.Pool[asyncpg.Record]", seconds: float = ANSWER) -> AsyncIterator[Any]:
    """A connection for one conversation of at most `seconds`, the wait for it included.

    Raises TimeoutError, or what the driver raises. After anything but an answer of the server the connection is closed:
    asyncpg would wait without limit for a cancelled statement of a half-open connection.
    """
    connection: Any = None
    try:
        async with asyncio.timeout(seconds):
            connection = await pool.acquire()
            yield connection
    except asyncpg.PostgresError:
        raise
    except BaseException:
        if connection is not None:
            with suppress(asyncpg.InterfaceError):  # it has left the pool by itself
                connection.terminate()
        raise
    finally:
        if connection is not None:
            await _give_back(pool, connection)


async def _give_back(pool: "asyncpg.Pool[asyncpg.Record]", connection: Any) -> None:
    """What was asked has been answered; that the connection breaks now is nobody's trouble any more."""
    try:
        async with asyncio.timeout(GIVE_BACK):
            await pool.release(connection, timeout=GIVE_BACK)
    except OUTAGES:
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


async def answers(pool: "asyncpg.Pool[asyncpg.Record]") -> bool:
    """Whether the database is there and takes writes at this moment."""
    try:
        async with borrowed(pool, 5.0) as connection:
            return not await connection.fetchval("select pg_is_in_recovery()")
    except (*OUTAGES, asyncpg.PostgresError):
        return False
