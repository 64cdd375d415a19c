"""The real servers tests run on: embedded PostgreSQL and Valkey, one of each per test session, gone with it.

With xdist the controller starts them and hands the addresses to its workers; without, the first test that asks does.
Every worker works in a database of its own, copied from a template that was migrated once (~50 ms).
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from msgspec import Struct

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.valkey import EmbeddedValkey
from app.migrate import migrate

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
"""For databases that are thrown away. The fault tests, which kill servers, start their own without these."""


_copies = count()


class Addresses(Struct, frozen=True):
    """Plain data, so that it can go to xdist workers. `owner` and `login` point to the migrated template."""

    owner: str
    login: str
    redis: str


class Valkey(EmbeddedValkey):
    """The product's own, which comes back at the same address after `stop()` and `start()`, as a restart would."""

    def start(self, timeout: float = 20.0) -> str:
        url = super().start(timeout)
        self.keep_port()
        return url


class Servers:
    """Started at the first `addresses()`."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: Valkey | None = None
        self._addresses: Addresses | None = None

    def addresses(self) -> Addresses:
        if self._addresses is None:
            self._folder = Path(tempfile.mkdtemp(prefix="agentbase-test-"))
            self._postgres = EmbeddedPostgres(self._folder / "postgres", settings=FAST)
            dsns = self._postgres.start()
            self._valkey = Valkey(self._folder / "valkey")
            redis = self._valkey.start()
            owner, login = with_database(dsns.owner, "template_app"), with_database(dsns.login, "template_app")
            asyncio.run(_make_template(dsns.owner, owner, login))
            self._addresses = Addresses(owner, login, redis)
        return self._addresses

    def stop(self) -> None:
        for server in (self._valkey, self._postgres):
            if server is not None:
                server.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self.__init__()  # type: ignore[misc]


async def _make_template(postgres: str, owner: str, login: str) -> None:
    await run_sql(postgres, "create database template_app owner agentbase_owner")
    await run_sql(owner, "create extension if not exists vector", "create extension if not exists pg_trgm")
    await migrate(owner, login)


async def run_sql(url: str, *statements: str) -> None:
    """As whoever the URL says, each statement on its own (CREATE DATABASE wants no transaction)."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def copy_of_template(addresses: Addresses, name: str = "") -> Addresses:
    """A new database like the template. Drop it with `drop_database`, or leave it: the server is thrown away anyway."""
    name = name or f"test_{secrets.token_hex(6)}"
    postgres = with_database(addresses.owner, "postgres")
    await run_sql(postgres, f"create database {name} template template_app strategy file_copy owner agentbase_owner")
    redis = with_database(addresses.redis, str(_own_redis()))
    return Addresses(with_database(addresses.owner, name), with_database(addresses.login, name), redis)


def _own_redis() -> int:
    """One of Valkey's 16 databases for this copy: rate limits of two products under test must not add up."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 1 + (worker * 7 + next(_copies)) % 15


async def drop_database(addresses: Addresses) -> None:
    name = urlsplit(addresses.owner).path.lstrip("/")
    await run_sql(with_database(addresses.owner, "postgres"), f"drop database if exists {name} with (force)")
