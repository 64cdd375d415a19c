"""Who may ask a flow something, how often. From the first question on a visitor has a cookie, never before."""

from app.sites.visiting.controllers.showing import Asking
from app.sites.visiting.visit import COOKIE, COOKIE_DAYS, Visit, new_secret, visitor_of
from app.web import cookies, ratelimit

_NETWORK = ratelimit.Limit("visitor-network", per_minute=15, burst=8)
"""One address: eight questions in a row, then one each 4 s. A person's pace, not a loop's."""
_SITE = ratelimit.Limit("visitors-of-site", per_minute=240, burst=120)
"""All visitors of one site together, so that a crowd can't starve the other sites."""

_OPINIONS = ratelimit.Limit("visitor-opinions", per_minute=20, burst=10)
"""One address: a thumb and a note for every answer, and a change of mind."""


async def paced(visit: Visit) -> None:
    """Raises TooMany for more opinions than a person has."""
    await ratelimit.take(_OPINIONS, f"{visit.site.id}:{ratelimit.address_key(visit.address)}")


async def admitted(request: Asking, visit: Visit) -> bytes:
    """The visitor, with a cookie from now on. Raises TooMany at a pace no person has."""
    await ratelimit.take(_NETWORK, f"{visit.site.id}:{ratelimit.address_key(visit.address)}")
    await ratelimit.take(_SITE, str(visit.site.id))
    if visit.visitor is not None:
        return visit.visitor
    secret = new_secret()
    cookies.put(request, COOKIE, secret, COOKIE_DAYS * 86_400)
    visitor = visitor_of(secret)
    assert visitor is not None  # noqa: S101 - we just made it
    return visitor
