"""A browser's session: which person sits behind this cookie.

The cookie holds 256 random bits; the database holds their SHA-256 (app/accounts/sessions.py). An id that is not there
is never adopted: it is ignored and the cookie removed. Signing in and any change of rights make a new id.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from app.web import cookies, language
from app.web.actor import Actor
from app.web.cookies import Connection
from app.web.htmx import Request
from app.web.ids import digest
from app.web.scopes import AnyScope, state_of

COOKIE = "agentbase"
LIFE = 14 * 24 * 3600
"""Seconds after which a session ends whatever happens; app/accounts/sessions.py also ends an unused one earlier."""


class Session(Struct, frozen=True):
    """A session that was found. `refreshed` is true when its last-seen time was just moved, so the cookie is due
    again.
    """

    actor: Actor
    digest: bytes
    seconds_left: int
    refreshed: bool = False


Lookup = Callable[[bytes], Awaitable[Session | None]]


class SessionMiddleware(ASGIMiddleware):
    """Finds the session of a request before guards look at it. No cookie, no query."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        connection: Connection = Request(scope)
        language.begin(connection)
        secret = cookies.read(connection, COOKIE)
        if secret:
            found = await self.lookup(digest(secret)) if len(secret) == 43 else None
            if found is None:
                cookies.put(connection, COOKIE, "", 0)
            else:
                adopt(scope, found)
                language.begin(connection)
                if found.refreshed:
                    cookies.put(connection, COOKIE, secret, found.seconds_left)
        await next_app(scope, receive, send)


def adopt(scope: AnyScope, session: Session) -> None:
    """From here on this request is the session's."""
    state_of(scope)["session"] = session
    state_of(scope)["actor"] = session.actor
    structlog.contextvars.bind_contextvars(workspace_id=str(session.actor.workspace_id))


def hand_out(connection: Connection, secret: str) -> None:
    """Put a new session's secret into the browser, and take away what belonged to the visitor before."""
    cookies.put(connection, COOKIE, secret, LIFE)
    cookies.put(connection, "agentbase_visit", "", 0)


def take_back(connection: Connection) -> None:
    """Remove the cookie; the row is the accounts' to delete."""
    cookies.put(connection, COOKIE, "", 0)
    for name in ("session", "actor"):
        state_of(connection.scope).pop(name, None)


def session_of(scope: AnyScope) -> Session | None:
    found: Session | None = state_of(scope).get("session")
    return found


def actor_of(connection: Connection) -> Actor | None:
    """Who asks, by session or by key; None for somebody we don't know."""
    actor: Actor | None = state_of(connection.scope).get("actor")
    return actor


def session_id_of(connection: Connection) -> UUID | None:
    found = session_of(connection.scope)
    return found.actor.session_id if found else None
