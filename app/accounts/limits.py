"""How often one may try a door. The counting is app/web/ratelimit's."""

from app.errors import TooMany
from app.web.address import network


async def by_account(what: str, account: str) -> None:
    """Ten tries in a row for one account, then one each 30 s. Raises TooMany."""
    await _pass(f"{what}:account:{account}", burst=10, every=30.0)


async def by_network(what: str, address: str) -> None:
    """Thirty tries in a row from one address (one /64 of IPv6), then one each 10 s. Raises TooMany."""
    await _pass(f"{what}:net:{network(address)}", burst=30, every=10.0)


async def _pass(key: str, *, burst: int, every: float) -> None:
    from app.web import ratelimit

    wait = await ratelimit.take(key, ratelimit.Limit(burst=burst, every=every))
    if wait:
        raise TooMany("Too many tries in a row.", retry_after=wait, remedy=f"Try again in {wait} seconds.")
