"""Who may ask a flow something, how often. From the first question on a visitor has a cookie, never before."""

from app.errors import TooMany
from app.sites.visiting.controllers.showing import Asking
from app.sites.visiting.visit import COOKIE, COOKIE_DAYS, Visit, new_secret, visitor_of
from app.web import cookies, ratelimit


async def admitted(request: Asking, visit: Visit) -> bytes:
    """The visitor, with a cookie from now on, unless this address or the whole site asks too much at the moment."""
    for key, limit in (
        (f"site:{visit.site.id}:{visit.address}", ratelimit.VISITOR),
        (f"site:{visit.site.id}", ratelimit.SITE),
    ):
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
