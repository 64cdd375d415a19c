"""No foreign page may act in a person's name.

Two walls, both must hold for every unsafe request that is authenticated by a cookie:
where it comes from (Origin, Sec-Fetch-Site), and a token that only a page of ours could show (HMAC bound to the
session's id).
Before sign-in the token is bound to a random cookie of the visit instead, so that setup and sign-in are covered as
well.
"""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from app import config
from app.errors import NotAllowed
from app.web import cookies
from app.web.cookies import Connection
from app.web.htmx import Request
from app.web.scopes import AnyScope, header
from app.web.session import session_of
from app.web.signed import key_for

FIELD = "_csrf"
HEADER = "x-csrf-token"
VISIT = "agentbase_visit"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({RequestEncodingType.URL_ENCODED.value, RequestEncodingType.MULTI_PART.value})


def token(connection: Connection) -> str:
    """A token for a page that is being rendered now. Each call gives another text (so compression leaks nothing);
    all are valid.
    """
    binding = _binding(connection)
    if not binding:
        visit = secrets.token_urlsafe(32)
        cookies.put(connection, VISIT, visit, 24 * 3600)
        connection.scope["state"]["visit"] = visit
        binding = visit.encode()
    return token_for(binding)


def token_for(binding: bytes) -> str:
    """A token bound to a session's digest (or to the visit's random word)."""
    salt = secrets.token_bytes(16)
    return base64.urlsafe_b64encode(salt + _mac(salt, binding)).rstrip(b"=").decode()


def is_valid(connection: Connection, text: str) -> bool:
    """Whether this token was made for this very session (or visit)."""
    binding = _binding(connection)
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return False
    return bool(binding) and len(raw) == 48 and hmac.compare_digest(raw[16:], _mac(raw[:16], binding))


def comes_from_us(scope: AnyScope) -> bool:
    """Whether the browser says that a page of this very origin sent the request.

    Sec-Fetch-Site can't be set by scripts: anything but same-origin (or `none`: typed by the person) is foreign. Origin
    must be ours where it is sent; a request with neither header is refused: every browser of today sends at least one
    with a POST.
    """
    site, origin = header(scope, b"sec-fetch-site"), header(scope, b"origin")
    if site not in ("", "same-origin", "none"):
        return False
    if origin:
        return origin in own_origins(scope)
    return site == "same-origin"


def own_origins(scope: AnyScope) -> set[str]:
    """The origin this request was sent to, and the one AGENTBASE_PUBLIC_URL names (a proxy ends TLS in front of us)."""
    origins = {f"{scope.get('scheme', 'http')}://{header(scope, b'host')}".lower()}
    if public := config.settings().public_url:
        parts = urlsplit(public)
        origins.add(f"{parts.scheme}://{parts.netloc}".lower())
    return origins


class CsrfMiddleware(ASGIMiddleware):
    """Stands behind SessionMiddleware, on the dashboard's routes only: bearer keys need no CSRF and cookies open no
    API.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] == ScopeType.HTTP and scope.get("method") not in SAFE:
            await self._check(Request(scope, receive))
        await next_app(scope, receive, send)

    async def _check(self, request: Request) -> None:
        if not comes_from_us(request.scope):
            raise NotAllowed(
                "This request came from another address than this page's.",
                remedy="Open the page again. Behind a proxy, set AGENTBASE_PUBLIC_URL to the address people type.",
                code="foreign_origin",
            )
        text = request.headers.get(HEADER, "")
        if request.content_type[0] in _FORMS:
            form = await request.form()
            text = text or str(form.get(FIELD) or "")
            # The forms of the domains forbid unknown fields: the token is ours, so it ends here. A new dict, never
            # a change
            # of this one: Litestar keeps parsed bodies in a cache that requests share.
            state = ScopeState.from_scope(request.scope)
            if isinstance(state.form, dict):
                state.form = {name: value for name, value in state.form.items() if name != FIELD}
        if not is_valid(request, text):
            raise NotAllowed(
                "This page was open for a long time, or you signed in again in another tab.",
                remedy="Reload the page and do it once more.",
                code="stale_page",
            )


def _binding(connection: Connection) -> bytes:
    if session := session_of(connection.scope):
        return session.digest
    visit: str = connection.scope["state"].get("visit") or cookies.read(connection, VISIT)
    return visit.encode()


def _mac(salt: bytes, binding: bytes) -> bytes:
    return hmac.digest(key_for("csrf"), salt + binding, hashlib.sha256)
