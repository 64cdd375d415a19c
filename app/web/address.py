"""Addresses of those who call, brought to one form for limits and lists."""

import ipaddress

from app.web.scopes import AnyScope


def of(scope: AnyScope) -> str:
    """The peer's address as the server saw it. A proxy's `X-Forwarded-For` is not read here: anybody can write one."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def network(address: str) -> str:
    """What one caller can't easily change: an IPv4 address, or the /64 of an IPv6 one. Mapped addresses count as
    IPv4.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


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
