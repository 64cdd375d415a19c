"""For the one program beside ours that makes requests (git): an address that was checked, with where it may connect."""

from msgspec import Struct

from app.egress.address import PUBLIC, Reach, check_all, literal, parsed, rules
from app.egress.connect import lookup
from app.egress.errors import Blocked, NoAnswer


class Pinned(Struct, frozen=True):
    """`addresses`: all that the name has, each allowed. Whoever connects must use these and look nothing up again."""

    url: str
    host: str
    port: int
    addresses: tuple[str, ...]


async def pinned(url: str, reach: Reach = PUBLIC) -> Pinned:
    """Resolve once, check every address. Raises Blocked for one that may not be reached, NoAnswer for no such name."""
    where, allowed = parsed(url), rules(reach)
    host, port = where.raw_host or "", where.port or 443
    if literal(host) is not None:
        found = [host.strip("[]")]
    else:
        try:
            found = [address for _, address in await lookup(host, port)]
        except (OSError, TimeoutError):
            raise NoAnswer(
                f"There is no server called {host}.", remedy="Check the address.", code="unknown_host"
            ) from None
    if not found:
        raise Blocked(f"{host} has no address.")
    check_all(host, found, port, allowed)
    return Pinned(str(where), host, port, tuple(dict.fromkeys(found)))
