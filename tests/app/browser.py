"""A browser without a screen: httpx over ASGI that keeps cookies and sends what browsers send."""

import re
from typing import Any

import httpx

from app.web import csrf
from app.web.actor import Actor
from app.web.ids import digest
from app.web.session import COOKIE
from tests.factories.accounts import Entered

ORIGIN = "http://127.0.0.1:8000"
HOST = "127.0.0.1"


class Browser(httpx.AsyncClient):
    """Sends Origin and Sec-Fetch-Site as a page of ours would, and the CSRF token of its session with every unsafe
    request.

    `actor` is who is signed in, None for a stranger (who takes a token from a page: `token_of`).
    """

    actor: Actor
    secret = ""

    def __init__(self, app: Any, **options: Any) -> None:
        headers = {"accept": "text/html,application/xhtml+xml", "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/145.0"}
        super().__init__(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url=ORIGIN,
            headers=headers | options.pop("headers", {}),
            **options,
        )

    def enter(self, entered: Entered) -> "Browser":
        self.actor, self.secret = entered.actor, entered.secret
        self.cookies.set(COOKIE, entered.secret, domain=HOST)
        return self

    async def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        if method not in ("GET", "HEAD", "OPTIONS"):
            headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
            if self.secret:
                headers[csrf.HEADER] = csrf.token_for(digest(self.secret))
            options["headers"] = headers | dict(options.get("headers") or {})
        return await super().request(method, url, **options)

    async def htmx(self, method: str, url: str, **options: Any) -> httpx.Response:
        """As htmx 4 would ask for a part of a page."""
        headers = {"hx-request": "true", "hx-request-type": "partial"} | dict(options.pop("headers", None) or {})
        return await self.request(method, url, headers=headers, **options)


def token_of(page: httpx.Response) -> str:
    """The CSRF token in a page's form."""
    found = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found.group(1)
