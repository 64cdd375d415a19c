"""Which addresses may be connected to: none that is private, reserved or a cloud's own, in whatever form it is written.

`ipaddress.is_global` alone is not enough: it says True for several forms that carry a private IPv4 address inside.
"""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct
from yarl import URL

from app import config
from app.egress.errors import Blocked

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

REMEDY = (
    "If this address is yours and meant to be reached, an operator can add it to AGENTBASE_EGRESS_ALLOW "
    "(see docs/operate/settings.md)."
)

_NEVER_GLOBAL = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's metadata and DNS, a public address
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip
_CARRIES_IPV4 = [ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96")]
"""The last four bytes are the real target: mapped, and NAT64 (how IPv4 hosts look on IPv6-only networks)."""


class Reach(Struct, frozen=True):
    """How far a request may go beyond the public internet.

    `allow`: networks ("10.1.0.0/16"), addresses, and host names ("ollama.lan", "*.corp.example") of one workspace.
    `loopback`: this machine too, except the ports of our own database and Redis. Only the gateway asks for it, for
    models that run beside us.
    """

    allow: tuple[str, ...] = ()
    loopback: bool = False


PUBLIC = Reach()
LOCAL_MODELS = Reach(loopback=True)


class Rules(Struct, frozen=True):
    """A Reach together with what the operator allowed, parsed."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    names: frozenset[str]
    suffixes: tuple[str, ...]
    loopback: bool
    closed_ports: frozenset[int]

    def name_allowed(self, host: str) -> bool:
        """The host was named as allowed, so it may have a private address; no link-local one (metadata services)."""
        host = host.rstrip(".").lower()
        return host in self.names or host.endswith(self.suffixes)

    def allows(self, address: Address, port: int, *, named: bool = False) -> bool:
        if any(address in network for network in self.networks):
            return True
        inner = carried(address)
        if inner.is_loopback and self.loopback and inner is address:
            return port not in self.closed_ports
        if named and not inner.is_link_local and not inner.is_multicast and not inner.is_unspecified:
            return inner is address
        return is_public(address)


def rules(reach: Reach) -> Rules:
    """Raises config.SettingError for an entry that is neither network, address nor host name."""
    networks, names, suffixes = [], set(), []
    for entry in (*config.settings().egress_allow, *reach.allow):
        try:
            networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            name = entry.rstrip(".").lower()
            if not name.removeprefix("*.").replace("-", "").replace(".", "").isalnum():
                raise config.SettingError(
                    f"{entry!r} can't be allowed for outgoing requests. Expected a network (10.1.0.0/16), an address, "
                    "or a host name (ollama.lan, *.corp.example)."
                ) from None
            if name.startswith("*."):
                suffixes.append(name[1:])
            else:
                names.add(name)
    return Rules(tuple(networks), frozenset(names), tuple(suffixes), reach.loopback, _own_ports())


def _own_ports() -> frozenset[int]:
    settings = config.settings()
    ports = {settings.metrics_port}
    for url, usual in ((settings.database_url, 5432), (settings.database_owner_url, 5432), (settings.redis_url, 6379)):
        ports.add(urlsplit(url).port or usual)
    return frozenset(ports)


def carried(address: Address) -> Address:
    """The IPv4 address inside a mapped or NAT64 one, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _CARRIES_IPV4):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address


def is_public(address: Address) -> bool:
    """Anybody's on the internet: not of this machine, this network, a cloud's inside, or a form that hides one."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return False
    address = carried(address)
    return address.is_global and not any(address in network for network in _NEVER_GLOBAL)


def parsed(text: str) -> URL:
    """The one parser: what it finds is what is checked and what is connected to.

    Raises Blocked for anything that another parser might read differently, and for schemes other than http and https.
    """
    if any(ord(sign) < 33 or ord(sign) == 127 for sign in text.strip()) or "\\" in text:
        raise Blocked("The address holds spaces, control characters or a backslash.", remedy="Check how it is written.")
    try:
        url = URL(text.strip())
        port = url.port
    except ValueError as problem:
        raise Blocked(f"{text[:200]!r} is no web address: {problem}.", remedy="Expected https://host/path.") from None
    if url.scheme not in {"http", "https"} or not url.raw_host or not port:
        raise Blocked(f"{text[:200]!r} is no web address.", remedy="Expected https://host/path.")
    if url.user is not None or url.password is not None:
        raise Blocked(
            f"The address of {url.raw_host} holds a user name or password.",
            remedy="Put them into the connection, not into the address.",
        )
    return url.with_fragment(None)


def literal(host: str) -> Address | None:
    """The address when the host is one, None when it is a name.

    Raises Blocked for numbers in a spelling that only old resolvers understand (2130706433, 0x7f.1, 127.1): nobody
    writes them but to get past a check.
    """
    bare = host.strip("[]")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    last = bare.rstrip(".").rpartition(".")[2].lower()
    if ":" in bare or last.isdigit() or (last.startswith("0x") and all(sign in "0123456789abcdefx" for sign in last)):
        raise Blocked(f"{host!r} is not a way to write an address.", remedy="Write it like 192.0.2.7 or as a name.")
    return None


def check_all(host: str, addresses: Iterable[str], port: int, allowed: Rules) -> None:
    """Every address a name has must be allowed: one private answer refuses all, whatever comes first."""
    named = allowed.name_allowed(host)
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise Blocked(f"{host} has the address {text!r}, which is none.") from None
        if not allowed.allows(address, port, named=named):
            raise Blocked(
                f"{host} leads to {address}, which is not an address on the public internet."
                if str(address) != host.strip("[]")
                else f"{address} is not an address on the public internet.",
                remedy=REMEDY,
            )
