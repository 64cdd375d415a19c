"""Errors as visitors see them: a page in the site's own theme, or problem+json for the page's scripts."""

import secrets
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.serialization import encode_json

from app import db
from app.errors import DomainError
from app.logs import logger
from app.sites.visiting import theme
from app.sites.visiting.visit import PublicSite

log = logger(__name__)

_NOTHING = ("There is nothing here.", "The address may be mistyped, or the page was taken down.")
_WORDS = {404: _NOTHING, 405: _NOTHING, 413: ("That is longer than we take here.", "Send less at once.")}


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Litestar exception handler of the public app. Unknown exceptions are logged whole and shown by an id only."""
    error = db.for_people(error)
    status, title, remedy = _told(request, error)
    headers = {}
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if "text/html" not in request.headers.get("accept", ""):
        body = {"type": "about:blank", "status": status, "title": title, "detail": f"{title} {remedy}".strip()}
        return Response(encode_json(body), status_code=status, headers=headers, media_type="application/problem+json")
    site: PublicSite | None = request.scope["state"].get("site")
    page = theme.error_page(site, title, remedy)
    return Response(page, status_code=status, headers=headers, media_type="text/html; charset=utf-8")


def _told(request: Request[Any, Any, Any], error: Exception) -> tuple[int, str, str]:
    if isinstance(error, DomainError) and error.status < 500:
        return error.status, error.message, error.remedy
    if isinstance(error, HTTPException) and error.status_code < 500:
        title, remedy = _WORDS.get(error.status_code, ("We could not read this request.", "Reload the page."))
        return error.status_code, title, remedy
    ident = secrets.token_hex(8)
    log.error("request of a visitor failed", error_id=ident, path=request.scope.get("path_template"), exc_info=error)
    status = error.status if isinstance(error, DomainError) else 500
    return status, "This site can't answer at the moment.", f"Try again in a minute. (Problem {ident})"
