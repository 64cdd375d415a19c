"""The application of published sites: composition only. Another host, no dashboard cookie, its own database role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from app.sites.visiting import answers, problems
from app.sites.visiting.controllers import routes
from app.sites.visiting.headers import from_this_site, protect
from app.web.application import Application
from app.web.requests import RequestMiddleware
from app.web.static import static_file

MAX_BODY = 100_000
"""Bytes a visitor may send at once."""


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await answers.drain()


def create_public_app() -> Application:
    """Pools and the event hub belong to the process: app.main starts them for both applications."""
    return Application(
        route_handlers=[*routes, static_file],
        middleware=[RequestMiddleware()],
        guards=[from_this_site],
        exception_handlers={Exception: problems.answer},
        before_send=[protect],
        lifespan=[lifespan],
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )
