"""Who may ask a flow something, how often. From the first question on a visitor has a cookie, never before."""

from app.errors import TooMany
from app.sites.visiting.controllers.showing import Asking
from app.sites.visiting.visit import COOKIE, COOKIE_DAYS, Visit, new_secret, visitor_of
from app.web import cookies, ratelimit
from app.web.address import network

BY_NETWORK = ratelimit.Limit(burst=8, every=4.0)
"""Eight questions in a row from one address, then one each 4 s: a person's pace, not a loop's."""
BY_SITE = ratelimit.Limit(burst=120, every=0.25)
"""What one site takes from all its visitors together, so that a crowd can't starve the other sites."""


async def admitted(request: Asking, visit: Visit) -> bytes:
    """The visitor, with a cookie from now on. Raises TooMany at a pace no person has."""
    site = visit.site.id
    for key, limit in ((f"site:{site}:{network(visit.address)}", BY_NETWORK), (f"site:{site}", BY_SITE)):
        wait = await ratelimit.take(key, limit)
        if wait:
            raise TooMany(
                "Many questions arrive here at the moment.", remedy="Try again in a moment.", retry_after=wait
            )
    if visit.visitor is not None:
        return visit.visitor
    secret = new_secret()
    cookies.put(request, COOKIE, secret, COOKIE_DAYS * 86_400)
    visitor = visitor_of(secret)
    assert visitor is not None  # noqa: S101 - we just made it
    return visitor
