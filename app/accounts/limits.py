"""How often one may try a door. Both limits raise TooMany with the seconds to wait."""

from app.web import ratelimit

_ACCOUNT = ratelimit.Limit("account", per_minute=2, burst=10)
_NETWORK = ratelimit.Limit("account-network", per_minute=60, burst=100)


async def by_account(what: str, account: str) -> None:
    """Ten tries in a row for one account, then one each 30 s."""
    await ratelimit.take(_ACCOUNT, f"{what}:{account}")


async def by_network(what: str, address: str) -> None:
    """A hundred tries in a row from one address (one /64 of IPv6), then one a second: an office signs in at nine."""
    await ratelimit.take(_NETWORK, f"{what}:{ratelimit.address_key(address)}")
