"""One id, one log line and one count for each request."""

import re
import secrets

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app import clock, metrics
from app.language import choice
from app.language.catalogue import ENGLISH
from app.logs import logger
from app.web.scopes import header, state_of

log = logger("app.web")
_OURS = re.compile(r"[A-Za-z0-9_-]{8,64}")
PROOFS = frozenset({"secret", "ticket", "token"})
"""Names of path parameters that prove something by themselves: such a path is logged as its pattern."""


class RequestMiddleware(ASGIMiddleware):
    """Outermost. Takes over a proxy's X-Request-Id when it looks like one. Health checks and static files are not
    logged.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        given = header(scope, b"x-request-id")
        request_id = given if _OURS.fullmatch(given) else secrets.token_hex(8)
        state_of(scope)["request_id"] = request_id
        choice.use(ENGLISH)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = clock.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, noting)
        except Exception as problem:  # answered further out, by errors.answer
            status = getattr(problem, "status", 0) or getattr(problem, "status_code", 500)
            raise
        finally:
            seconds = clock.monotonic() - started
            method, path = str(scope.get("method")), scope["path"]
            route = str(scope.get("path_template", ""))
            metrics.request(route, method, status or 500, seconds)
            if not path.startswith(("/static/", "/health/")):
                shown = route if PROOFS & scope["path_params"].keys() else path
                log.info("request", method=method, path=shown, status=status, ms=round(seconds * 1000, 1))
