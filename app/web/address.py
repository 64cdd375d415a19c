"""Where a request comes from."""

import ipaddress
from functools import lru_cache
from typing import TypeAlias

from app import config
from app.web.cookies import is_https
from app.web.scopes import AnyScope, header

Networks: TypeAlias = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def of(scope: AnyScope) -> str:
    """The address of whoever asks: the peer's, or, where the peer is a proxy of ours, the one that proxy saw.

    Anybody can write an `X-Forwarded-For`, so it is read from the right, and only as far as AGENTBASE_TRUSTED_PROXIES
    wrote it.
    """
    found = peer(scope)
    trusted = _networks(config.settings().trusted_proxies)
    if not trusted or not _within(found, trusted):
        return found
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    for hop in reversed(",".join(lines).split(",")):
        try:
            seen = str(ipaddress.ip_address(hop.strip()))
        except ValueError:
            break
        found = seen
        if not _within(found, trusted):
            break
    return found


def origin(scope: AnyScope) -> str:
    """Where the browser believes to be: scheme, host and port as it asked for them. The host is what it sent."""
    return f"{'https' if is_https(scope) else 'http'}://{header(scope, b'host')}".lower()


def peer(scope: AnyScope) -> str:
    """Whoever holds the other end of the connection, a proxy or not; "" when the server doesn't know."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@lru_cache(maxsize=8)
def _networks(listed: tuple[str, ...]) -> Networks:
    return tuple(ipaddress.ip_network(part, strict=False) for part in listed)


def _within(address: str, networks: Networks) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)


def is_this_machine(scope: AnyScope) -> bool:
    """Whether the request surely comes from this machine: a loopback peer, and no proxy that says it speaks for
    another.
    """
    forwarded = {b"forwarded", b"x-forwarded-for", b"x-real-ip"}
    if any(name in forwarded for name, _ in scope["headers"]):
        return False
    try:
        return ipaddress.ip_address(peer(scope)).is_loopback
    except ValueError:
        return False
