"""aiohttp sessions that can only reach what their rules allow. One per set of rules, so that a connection that was
opened under wider rules is never used again under narrower ones.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import OrderedDict
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from app.egress.address import Rules, check_all
from app.egress.errors import Blocked

SESSIONS = 32
"""Sets of rules with open connections, per process; the one unused longest is closed."""
MOST_OPEN, MOST_TO_ONE = 512, 256
"""Connections of one set of rules in one process: in all, and to one server. Whoever is more waits. A model that thinks
for 200 ms serves five calls a second on each.
"""
LOOKUP = 5.0


async def lookup(host: str, port: int) -> list[tuple[int, str]]:
    """(family, address) of a name, from the system's resolver. Tests put their own in this place."""
    async with asyncio.timeout(LOOKUP):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(place[0])) for family, _, _, _, place in found]


class _Checked(AbstractResolver):
    """Resolves once per connection and hands out addresses only when all of them may be reached."""

    def __init__(self, allowed: Rules) -> None:
        self.allowed = allowed
        self.approved: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await lookup(host, port)
        check_all(host, (address for _, address in found), port, self.allowed)
        for _, address in found:
            self.approve(address, port)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for family, address in found
        ]

    def approve(self, address: str, port: int) -> None:
        self.approved[address, port] = None
        self.approved.move_to_end((address, port))
        while len(self.approved) > 4096:
            self.approved.popitem(last=False)

    async def close(self) -> None: ...

    def gate(self, info: Any) -> socket.socket:
        """The last word, where the real address is known: whatever a layer above made of the name, this decides."""
        family, kind, protocol, _, place = info
        address, port = str(place[0]), int(place[1])
        if (address, port) not in self.approved and not self.allowed.allows(ipaddress.ip_address(address), port):
            raise Blocked(f"{address} is not an address on the public internet.")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


_sessions: "WeakKeyDictionary[asyncio.AbstractEventLoop, OrderedDict[Any, aiohttp.ClientSession]]" = WeakKeyDictionary()


def session(allowed: Rules, trust: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """The session of these rules in this loop, opened when it is first asked for."""
    mine = _sessions.setdefault(asyncio.get_running_loop(), OrderedDict())
    key = (allowed, trust)
    if key not in mine:
        resolver = _Checked(allowed)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            socket_factory=resolver.gate,
            use_dns_cache=False,
            limit=MOST_OPEN,
            limit_per_host=MOST_TO_ONE,
            keepalive_timeout=20,
            ssl=trust if trust is not None else True,
        )
        mine[key] = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            requote_redirect_url=False,
            raise_for_status=False,
            max_line_size=16_384,
            max_field_size=16_384,
            max_headers=128,
            read_bufsize=2**16,
            skip_auto_headers=("User-Agent",),
        )
    mine.move_to_end(key)
    while len(mine) > SESSIONS:
        _, old = mine.popitem(last=False)
        closing = asyncio.ensure_future(old.close())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
    return mine[key]


_closing: set["asyncio.Future[None]"] = set()


def resolver_of(opened: aiohttp.ClientSession) -> _Checked:
    return cast(_Checked, cast(aiohttp.TCPConnector, opened.connector)._resolver)


async def close_all() -> None:
    """Close the sessions of this loop. In the lifespan of each process, last."""
    for opened in (_sessions.pop(asyncio.get_running_loop(), None) or {}).values():
        await opened.close()
