"""The web process: the dashboard and its API, and in front of them the dispatcher that also serves published sites.

Wiring only. A domain enters by its lines in DOMAINS.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from app import db, egress, metrics
from app.accounts import service as accounts
from app.accounts import sessions
from app.checks.service import TestsGate
from app.events import hub
from app.gateway import service as gateway
from app.runs import running
from app.runs.hooks import hook
from app.sites.service import SiteFaces
from app.studio import faces, gates
from app.web import closing, errors, guards, headers, health, ratelimit
from app.web.application import Application
from app.web.bearer import BearerMiddleware
from app.web.csrf import CsrfMiddleware
from app.web.hosts import Dispatcher
from app.web.htmx import Request
from app.web.requests import RequestMiddleware
from app.web.session import SessionMiddleware
from app.web.static import static_file

DOMAINS: tuple[str, ...] = (
    "app.web.stream",
    "app.web.patterns",
    "app.web.help",
    "app.web.language",
    "app.accounts.controllers",
    "app.accounts.api",
    "app.vault.controllers",
    "app.vault.api",
    "app.files.controllers",
    "app.files.api",
    "app.gateway.controllers",
    "app.gateway.api",
    "app.studio.home",
    "app.studio.controllers",
    "app.studio.api",
    "app.studio.versions_api",
    "app.studio.environments_api",
    "app.checks.controllers",
    "app.checks.suite_pages",
    "app.checks.api",
    "app.checks.dataset_pages",
    "app.checks.dataset_api",
    "app.drafting.controllers",
    "app.drafting.api",
    "app.gitsync.controllers",
    "app.gitsync.api",
    "app.gitsync.bundle_pages",
    "app.gitsync.bundle_api",
    "app.gitsync.open",
    "app.triggers.controllers",
    "app.triggers.api",
    "app.triggers.open",
    "app.webhooks.controllers",
    "app.webhooks.api",
    "app.runs.controllers",
    "app.runs.open",
    "app.runs.api",
    "app.sites.controllers",
    "app.sites.api",
)
"""Modules with routes: `routes` (pages), `api_routes` (under /api/v1), `open_routes` (proof in the address itself, as
webhooks have). A module named here must exist: what is missing fails at start, not at the first click.
"""

MAX_BODY = 1_000_000
"""Bytes of a request unless its route says otherwise (`request_max_body_size`); counted as it is read, also chunked."""


def routes_of(name: str) -> list[Any]:
    """All routes that the modules list under this name."""
    return [route for module in DOMAINS for route in getattr(import_module(module), name, [])]


def pages() -> Router:
    """HTML for people: session, CSRF, and the guard that nobody gets past unknown."""
    return Router(
        "/",
        route_handlers=routes_of("routes"),
        middleware=[SessionMiddleware(sessions.find_session), CsrfMiddleware()],
        guards=[guards.signed_in],
        dependencies={"actor": Provide(guards.provide_actor, sync_to_thread=False)},
        include_in_schema=False,
    )


def api() -> Router:
    """JSON for programs: a bearer key and nothing else. Session cookies are not even read."""
    return Router(
        "/api/v1",
        route_handlers=routes_of("api_routes"),
        middleware=[BearerMiddleware(sessions.find_key)],
        guards=[guards.api_key],
        dependencies={"actor": Provide(guards.provide_actor, sync_to_thread=False)},
        security=[{"key": []}],
    )


@asynccontextmanager
async def services() -> AsyncIterator[None]:
    """What both applications stand on, started once per process and stopped in the opposite order.

    Pools that already run (tests) stay their owner's.
    """
    async with AsyncExitStack() as stack:
        closing.begin()
        if not db.pools:
            stack.push_async_callback(db.stop)
            await db.start("web")
        for stop in (ratelimit.stop, egress.stop, running.stop, gateway.drain, hub.stop):
            stack.push_async_callback(stop)
        await running.start("web")
        await hub.start(closing.closing())
        await stack.enter_async_context(metrics.serving())
        stack.callback(closing.end)
        faces.use(SiteFaces())
        gates.use(TestsGate())
        await accounts.set_up_unattended()
        yield


@asynccontextmanager
async def _alone(app: Litestar) -> AsyncIterator[None]:
    async with services():
        yield


def create_app(*, alone: bool = True) -> Application:
    """The dashboard. `alone`: it starts the services itself; not when the dispatcher does it for both applications."""
    return Application(
        route_handlers=[pages(), api(), *routes_of("open_routes"), static_file, *health.routes],
        request_class=Request,
        middleware=[RequestMiddleware()],
        exception_handlers={Exception: errors.answer},
        before_send=[headers.protect],
        lifespan=[_alone] if alone else [],
        request_max_body_size=MAX_BODY,
        openapi_config=OpenAPIConfig(
            title="Agentbase",
            version="1",
            # exactly this: under a wider path Litestar itself would answer every unknown address of the API
            path="/api/v1/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        ),
        logging_config=None,
    )


def create_application() -> Dispatcher:
    """What the server runs: both applications behind one door, chosen by Host."""
    from app.public import create_public_app

    return Dispatcher(create_app(alone=False), create_public_app(), services, hooks=hook)


def __getattr__(name: str) -> Dispatcher:
    """`app.main:application`, built when the server asks for it and not when a test imports `create_app`."""
    if name != "application":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _application()


@lru_cache(maxsize=1)
def _application() -> Dispatcher:
    return create_application()
