"""/patterns: every piece of the design system, live, in both modes. The browser tests look at it; so should you."""

from typing import Any

from litestar import Response, get

from app.web.htmx import Request
from app.web.render import page


@get("/patterns", name="patterns")
async def patterns(request: Request) -> Response[Any]:
    return page(request, "patterns.html")


routes = [patterns]
