"""Clients of the dashboard. All of them speak to `app`, which runs with its database, so tests here name no `db`
beside them.

`client`     a browser of a stranger.      `signed_in`  a browser of the owner of a fresh workspace;
`signed_in.actor` is who.
`stranger`   a browser of the owner of another workspace.      `api`  a program with an admin key of `signed_in`'s
workspace.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.app.browser import ORIGIN, Browser
from tests.factories.accounts import a_person, an_api_key


@pytest.fixture
async def client(app: Any) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


@pytest.fixture
async def signed_in(app: Any) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser.enter(await a_person())


@pytest.fixture
async def stranger(app: Any) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser.enter(await a_person())


@pytest.fixture
async def api(app: Any, signed_in: Browser) -> AsyncIterator[httpx.AsyncClient]:
    key = await an_api_key(signed_in.actor)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url=ORIGIN,
        headers={"authorization": f"Bearer {key}"},
    ) as program:
        yield program
