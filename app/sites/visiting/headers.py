"""What a published page may load and do, and where a post may come from: stricter than the dashboard."""

from urllib.parse import urlsplit

from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from app.errors import NotAllowed
from app.web import cookies
from app.web.cookies import Connection
from app.web.scopes import state_of

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; "
    "trusted-types agentbase-site; frame-ancestors "
)
_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def protect(message: Message, scope: Scope) -> None:
    """Litestar `before_send` hook of the public app. Only a preview may be framed, where its ticket says."""
    if message["type"] != "http.response.start":
        return
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    framed_by = state_of(scope).get("framed_by") or "'none'"
    headers += [pair for pair in _FIXED if pair[0] not in present]
    headers.append((b"content-security-policy", (_CSP + framed_by).encode()))
    if b"cache-control" not in present:
        headers.append((b"cache-control", b"no-store"))
    headers += [(b"set-cookie", line.encode("latin-1")) for line in cookies.outgoing(scope).values()]
    message["headers"] = headers


def from_this_site(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of every post: only a page of this very site may send it (OWASP: verify origin, Sec-Fetch-Site)."""
    if connection.scope.get("method") in SAFE:
        return
    origin = connection.headers.get("origin")
    if connection.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower()
    ):
        raise NotAllowed("This was sent from another site.", remedy="Open the page itself and send it there.")
