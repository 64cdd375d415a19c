"""API keys on the way in: `Authorization: Bearer ab_…`, nothing else (no query parameter, no cookie, no other
header).
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app import clock
from app.web.actor import Actor
from app.web.ids import digest
from app.web.scopes import header, state_of

Lookup = Callable[[bytes], Awaitable[Actor | None]]
REMEMBERED = 1.0
"""Seconds a found key is not looked up again: as long may a key live on in another process that was revoked in this
one, where it is dead at once (`forget`). Unknown keys are never remembered.
"""
_MOST = 4096
_seen: dict[bytes, tuple[float, Actor]] = {}


def forget(key_id: UUID) -> None:
    """A key was revoked, its rights were changed: this process looks it up again at the next request."""
    for key, (_, actor) in tuple(_seen.items()):
        if actor.key_id == key_id:
            _seen.pop(key, None)


class BearerMiddleware(ASGIMiddleware):
    """Finds the key's actor before the guard looks."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        kind, _, secret = header(scope, b"authorization").partition(" ")
        if kind.lower() == "bearer" and 20 <= len(secret.strip()) <= 200:
            actor = await self._find(digest(secret.strip()))
            if actor is not None:
                state_of(scope)["actor"] = actor
                structlog.contextvars.bind_contextvars(workspace_id=str(actor.workspace_id))
        await next_app(scope, receive, send)

    async def _find(self, key: bytes) -> Actor | None:
        now = clock.monotonic()
        if (hit := _seen.get(key)) and now - hit[0] < REMEMBERED:
            return hit[1]
        actor = await self.lookup(key)
        if actor is None:
            _seen.pop(key, None)
            return None
        if len(_seen) >= _MOST:
            _seen.clear()
        _seen[key] = (now, actor)
        return actor
