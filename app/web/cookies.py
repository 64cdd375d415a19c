"""Cookies on their way out. Whoever wants to set one says so here; `headers.protect` puts it on the answer,
whichever that becomes.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from app import config
from app.web.scopes import AnyScope, state_of

Connection = ASGIConnection[Any, Any, Any, Any]


def is_https(scope: AnyScope) -> bool:
    """Whether the browser speaks TLS to us: directly, or to the proxy in front, which AGENTBASE_PUBLIC_URL tells."""
    return scope.get("scheme") == "https" or config.settings().public_url.startswith("https://")


def cookie_name(scope: AnyScope, name: str) -> str:
    """With TLS the name gets the prefix `__Host-`: then no other host, sub-domain or plain-HTTP page can set or
    shadow it.
    """
    return f"__Host-{name}" if is_https(scope) else name


def read(connection: Connection, name: str) -> str:
    """The cookie as the browser sent it, or ""."""
    return connection.cookies.get(cookie_name(connection.scope, name), "")


def put(connection: Connection, name: str, value: str, seconds: int) -> None:
    """Set a cookie for `seconds`; 0 removes it. Always HttpOnly, SameSite=Lax, Path=/, Secure with TLS, never a
    Domain.
    """
    full = cookie_name(connection.scope, name)
    https = is_https(connection.scope)
    cookie = Cookie(key=full, value=value, max_age=seconds, path="/", secure=https, httponly=True, samesite="lax")
    outgoing(connection.scope)[full] = cookie.to_header(header="")


def outgoing(scope: AnyScope) -> dict[str, str]:
    """Set-Cookie lines of this answer, by cookie name: the last word on a name wins."""
    lines: dict[str, str] = state_of(scope).setdefault("cookies_out", {})
    return lines
