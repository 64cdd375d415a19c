"""Fixtures every test may use. How a test gets a database: it names one of these.

`db`        the pools of this process are up, on a migrated database that this xdist worker keeps for the whole run.
            Rows of other tests stay in it: make your own workspace (tests/factories) and look only at that.
`empty_db`  the same on a database of its own, fresh from the template: for "nobody has signed up yet".
`redis`     the URL of a real Valkey. `settings` are then set to both.
`app`       the dashboard as an ASGI app with its lifespan running (so with `db`).
`made`      for tests that are not async (Chromium): `made(a_board(…))` awaits a factory against `db`.

Async tests and fixtures need no mark (anyio, asyncio backend). More fixtures: tests/fixtures/*.py, loaded by name.
"""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from app import config
from app import db as database
from tests.servers import Addresses, Servers, copy_of_template, drop_database

pytest_plugins = [f"tests.fixtures.{file.stem}" for file in sorted(Path(__file__).parent.glob("fixtures/[a-z]*.py"))]

_servers = Servers()


class _HandOver:
    """xdist: the controller starts the servers before its first worker, and tells each worker where they are."""

    def pytest_configure_node(self, node: Any) -> None:
        addresses = _servers.addresses()
        node.workerinput["servers"] = [addresses.owner, addresses.login, addresses.redis]


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(_HandOver())


def pytest_unconfigure(config: pytest.Config) -> None:
    _servers.stop()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {}


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Addresses:
    """Addresses of the servers and of the template database (do not write to it)."""
    given = getattr(request.config, "workerinput", {}).get("servers")
    return Addresses(*given) if given else _servers.addresses()


@pytest.fixture(scope="session")
async def _own_database(servers: Addresses, anyio_backend: Any) -> AsyncIterator[Addresses]:
    copy = await copy_of_template(servers)
    yield copy
    await drop_database(copy)


def _settings(addresses: Addresses, folder: Path) -> dict[str, Any]:
    return {
        "data": folder,
        "database_url": config.Secret(addresses.login),
        "database_owner_url": config.Secret(addresses.owner),
        "redis_url": config.Secret(addresses.redis),
        "secret_key": config.Secret("only-for-tests-" + "0123456789abcdef" * 2),
    }


@pytest.fixture
def settings(_own_database: Addresses, tmp_path: Path) -> Iterator[config.Settings]:
    """Settings that point to this worker's database and Valkey; `data` is an empty folder."""
    with config.using(**_settings(_own_database, tmp_path)) as settings:
        yield settings


@pytest.fixture
def redis(settings: config.Settings) -> str:
    return settings.redis_url


@pytest.fixture
async def db(settings: config.Settings) -> AsyncIterator[None]:
    await database.start("cli", {"app": (0, 8), "system": (0, 4), "site": (0, 4)})
    yield
    await database.stop()


@pytest.fixture
async def empty_db(servers: Addresses, tmp_path: Path) -> AsyncIterator[Addresses]:
    copy = await copy_of_template(servers)
    with config.using(**_settings(copy, tmp_path)):
        await database.start("cli", {"app": (0, 8), "system": (0, 4), "site": (0, 4)})
        yield copy
        await database.stop()
    await drop_database(copy)


@lru_cache(maxsize=1)
def _dashboard() -> Any:
    """Built once (half a second of route tables); its lifespan runs anew for each test."""
    return importlib.import_module("app.main").create_app()


@pytest.fixture
async def app(settings: config.Settings) -> AsyncIterator[Any]:
    """The dashboard's ASGI app, started and stopped as a server would: pools, hub and all."""
    asgi = _dashboard()
    async with asgi.lifespan():
        yield asgi


@pytest.fixture
def made(settings: config.Settings) -> Iterator[Callable[[Awaitable[Any]], Any]]:
    """Await a factory from a test that is not async. It runs in a loop of its own, beside the server under test."""
    from anyio.from_thread import start_blocking_portal

    async def result(thing: Awaitable[Any]) -> Any:
        return await thing

    with start_blocking_portal() as portal:
        portal.call(database.start, "cli")
        yield lambda thing: portal.call(result, thing)
        portal.call(database.stop)
