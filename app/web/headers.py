"""The last hand on every answer of the dashboard, errors included: security headers, cookies, no caching by
accident.
"""

from litestar.types import Message, Scope

from app.web import cookies, csp
from app.web.scopes import state_of

FIXED: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    # same-origin, not no-referrer: with the latter browsers send `Origin: null` on our own forms, and CSRF refuses
    # that.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)


async def protect(message: Message, scope: Scope) -> None:
    """Litestar `before_send` hook. A header that the handler set itself stays as it is."""
    if message["type"] != "http.response.start":
        return
    headers = list(message.get("headers", ()))
    present = {name.lower(): value for name, value in headers}
    headers += [pair for pair in FIXED if pair[0] not in present]
    if present.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in present:
        headers.append((b"content-security-policy", csp.policy(csp.nonce(scope)).encode()))
    if present.get(b"content-type", b"").startswith(b"text/html") and b"vary" not in present:
        headers.append((b"vary", b"accept-language, cookie"))
    if b"cache-control" not in present:
        headers.append((b"cache-control", b"no-store"))
    if cookies.is_https(scope):
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    if request_id := state_of(scope).get("request_id"):
        headers.append((b"x-request-id", str(request_id).encode()))
    headers += [(b"set-cookie", line.encode("latin-1")) for line in cookies.outgoing(scope).values()]
    message["headers"] = headers
