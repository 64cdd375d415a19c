"""Where a request comes from."""

import ipaddress

from app.web.scopes import AnyScope


def of(scope: AnyScope) -> str:
    """The peer's address as the server saw it. A proxy's `X-Forwarded-For` is not read here: anybody can write one."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def is_this_machine(scope: AnyScope) -> bool:
    """Whether the request surely comes from this machine: a loopback peer, and no proxy that says it speaks for
    another.
    """
    forwarded = {b"forwarded", b"x-forwarded-for", b"x-real-ip"}
    if any(name in forwarded for name, _ in scope["headers"]):
        return False
    try:
        return ipaddress.ip_address(of(scope)).is_loopback
    except ValueError:
        return False
