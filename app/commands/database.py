"""The database, for a command that needs it for a moment: the given one, the one `up` runs, or one of our own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app import config, logs
from app.embedded.postgres import EmbeddedPostgres

T = TypeVar("T")


@contextmanager
def reachable() -> Iterator[config.Settings]:
    """Settings whose DATABASE_URL and DATABASE_OWNER_URL answer, for the length of the block."""
    settings = config.settings()
    if settings.database_url:
        yield settings
        return
    server = EmbeddedPostgres(settings.data.expanduser() / "postgres")
    dsns = server.running_elsewhere()
    try:
        dsns = dsns or server.start()
        with config.using(database_url=config.Secret(dsns.login), database_owner_url=config.Secret(dsns.owner)):
            yield config.settings()
    finally:
        server.stop()


def in_database(work: Callable[[], Awaitable[T]]) -> T:
    """Bring the database to this version, open the pools, do `work`, close them."""
    from app import db
    from app.migrate import migrate

    async def whole() -> T:
        await migrate()
        await db.start("cli")
        try:
            return await work()
        finally:
            await db.stop()

    logs.setup(level=logging.WARNING)  # what the command prints is for the person, or for the next program in a pipe
    with reachable():
        return asyncio.run(whole())
