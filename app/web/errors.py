"""The one place where an exception becomes an answer: a page, a fragment for htmx, or problem+json (RFC 9457) for
the API.

A page's form can be shown again with what was typed: its route says `opt={"form": "accounts/sign_in.html"}`. That
template gets
`values` (what was sent, secrets left out) and `errors` (field → remedy, "" = the whole form).
"""

import secrets
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect
from litestar.serialization import encode_json
from litestar.utils.scope.state import ScopeState
from msgspec import Struct, structs

from app import db
from app.errors import DomainError
from app.language.catalogue import ENGLISH
from app.language.sentences import say
from app.logs import logger
from app.web.flash import Toast
from app.web.forms import field_of, human, problems
from app.web.guards import SignInNeeded
from app.web.htmx import Request
from app.web.language import language_of
from app.web.places import back_of, safe_path
from app.web.scopes import state_of

log = logger(__name__)

SIGN_IN = "/sign-in"
_SECRET_FIELDS = ("password", "secret", "key", "token")
_WORDS = {
    400: ("We could not read this request.", "Go back and do it once more."),
    401: ("You are not signed in.", "Sign in, then do it once more."),
    403: ("This is not open to you.", "Ask an owner of the workspace."),
    404: ("There is nothing here.", "The address may be mistyped, or the thing was deleted."),
    405: ("This address does not do that.", "Go back and use the buttons on the page."),
    413: ("This is larger than we take here.", "Send less at once, or a smaller file."),
    415: ("We can't read this kind of content here.", "Send JSON, or use the form on the page."),
}
_ALL = "/api/v1/openapi.json lists every address and what it takes."
_TO_PROGRAMS = {
    400: ("We could not read this request.", "Is the body JSON, with content-type application/json?"),
    404: ("There is nothing here.", f"The address may be mistyped, or the thing was deleted. {_ALL}"),
    405: ("This address does not take this method.", _ALL),
    415: ("We can't read this kind of content here.", "Send JSON, with content-type application/json."),
}
"""Where a program asks, who has no page to go back to."""


class FieldProblem(Struct, frozen=True):
    field: str
    message: str


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error as the API sends it. `title` is the sentence, `remedy` what to do, `id` finds the line in the log."""

    status: int
    title: str
    remedy: str = ""
    code: str = ""
    errors: tuple[FieldProblem, ...] = ()
    id: str = ""
    type: str = "about:blank"

    @property
    def fields(self) -> dict[str, str]:
        """By the field of a form: what lies inside one is said at it."""
        return {problem.field.partition(".")[0]: problem.message for problem in self.errors}


def answer(request: Any, error: Exception) -> Response[Any]:
    """Litestar exception handler for everything. Unknown exceptions are logged whole; the person gets an id and no
    detail.
    """
    # the router's own refusals (404, 405) come before any middleware gave the request its id
    state_of(request.scope).setdefault("request_id", secrets.token_hex(8))
    error = db.for_people(error)
    problem = told(request, problem_of(request, error))
    headers: dict[str, str] = {}
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, HTTPException) and error.headers:
        headers.update({k: v for k, v in error.headers.items() if k.lower() == "allow"})
    if not wants_html(request):
        return _json(problem, headers)
    if isinstance(error, SignInNeeded):
        return _to_sign_in(request)
    return _html(request, problem, headers)


def problem_of(request: Request, error: Exception) -> Problem:
    if isinstance(error, DomainError):
        at_field = (FieldProblem(error.field, str(error)),) if error.field else ()
        ident = _reported(request, error) if error.status >= 500 else ""
        return Problem(error.status, error.message, error.remedy, error.code, at_field, ident)
    if isinstance(error, ValidationException | msgspec.ValidationError):
        return _invalid(request, error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        words = _WORDS if wants_html(request) else _WORDS | _TO_PROGRAMS
        title, remedy = words.get(error.status_code, (f"We can't do this ({error.status_code}).", ""))
        return Problem(error.status_code, title, remedy, code=f"http_{error.status_code}")
    return Problem(
        500,
        "Something broke on our side.",
        "Try once more. If it stays, the log has the details under this id.",
        "internal",
        id=_reported(request, error),
    )


def told(request: Request, problem: Problem) -> Problem:
    """In the language of the person who looks at a page; programs (under /api) are always answered in English."""
    if language_of(request) == ENGLISH:
        return problem
    errors = tuple(FieldProblem(each.field, say(each.message)) for each in problem.errors)
    return structs.replace(problem, title=say(problem.title), remedy=say(problem.remedy), errors=errors)


def wants_html(request: Request) -> bool:
    """A page or a part of one is expected, rather than JSON."""
    if request.scope["path"].startswith("/api/"):
        return False
    return request.headers.get("hx-request") == "true" or "text/html" in request.headers.get("accept", "")


def _invalid(request: Request, error: ValidationException | msgspec.ValidationError) -> Problem:
    found: dict[str, str] = {}
    form = _form_type(request)
    values = typed(request)
    if form is not None:
        found = problems(values, form)
    if not found and isinstance(error, ValidationException) and isinstance(error.extra, list):
        for item in error.extra:
            message, key = str(item.get("message", "")), str(item.get("key", ""))
            if item.get("source") == "path":  # an id that is no id: the same answer as an unknown one
                return Problem(404, *_WORDS[404], code="not_found")
            found[field_of(message) or key.removeprefix("data.").removeprefix("data")] = human(message)
    if not found:
        found[field_of(str(error))] = human(str(error))
    errors = tuple(FieldProblem(field, message) for field, message in found.items())
    title = "One field needs another look." if len(errors) == 1 else f"{len(errors)} fields need another look."
    return Problem(422, title, code="invalid", errors=errors)


def typed(request: Request) -> dict[str, Any]:
    """What the body held as far as it was read: a form's fields or a JSON object. {} when nothing was, or it is
    something else.
    """
    state = ScopeState.from_scope(request.scope)
    for read in (state.form, state.json):
        if isinstance(read, dict):
            return dict(read)
    return {}


def _form_type(request: Request) -> type[Struct] | None:
    handler = request.scope.get("route_handler")
    signature = getattr(handler, "parsed_fn_signature", None)
    data = signature.parameters.get("data") if signature else None
    annotation = getattr(data, "annotation", None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, Struct) else None


def _reported(request: Request, error: Exception) -> str:
    ident = str(state_of(request.scope).setdefault("request_id", secrets.token_hex(8)))
    log.error(
        "request failed",
        error_id=ident,
        method=request.scope.get("method"),
        path=request.scope.get("path_template") or request.scope.get("path"),
        exc_info=error,
    )
    return ident


def _json(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = structs.asdict(problem)
    body = {k: v for k, v in body.items() if v not in ("", ())}
    return Response(
        encode_json(body), status_code=problem.status, headers=headers, media_type="application/problem+json"
    )


def _to_sign_in(request: Request) -> Response[Any]:
    """To the form, and back afterwards to where a GET wanted to go (an action is not repeated by itself)."""
    if request.headers.get("hx-request") == "true":
        return Response("", status_code=200, headers={"HX-Redirect": SIGN_IN}, media_type="text/html")
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = "" if request.method != "GET" or here == "/" else f"?{urlencode({'next': here})}"
    return Redirect(f"{SIGN_IN}{asked}", status_code=303)


def _html(request: Request, problem: Problem, headers: dict[str, str]) -> Response[Any]:
    from app.web.render import fragment, page  # here, not above: pages show errors, and errors are pages

    handler: Any = request.scope.get("route_handler")  # None for an address that no route has
    template: str = handler.opt.get("form", "") if handler is not None else ""
    partial = request.headers.get("hx-request") == "true"
    if template and problem.status in (400, 401, 403, 409, 413, 422, 429):
        values = {k: v for k, v in typed(request).items() if isinstance(v, str) and k not in _SECRET_FIELDS}
        errors = problem.fields or {"": f"{problem.title} {problem.remedy}".rstrip()}
        show = fragment if partial or template.rpartition("/")[2].startswith("_") else page
        return show(
            request,
            template,
            status_code=problem.status,
            headers=headers,
            values=values,
            errors=errors,
            problem=problem,
        )
    if partial:
        # nothing on the page is replaced: the thing that was clicked stays where it is, and the toast says why
        headers["HX-Reswap"] = "none"
        toast = Toast(f"{problem.title} {problem.remedy}".rstrip(), "danger")
        status = problem.status
        return fragment(
            request, "errors/_error.html", status_code=status, headers=headers, toast=toast, problem=problem
        )
    again = safe_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""), "")
    return page(
        request,
        "errors/error.html",
        status_code=problem.status,
        headers=headers,
        problem=problem,
        back=back_of(request),
        again=again if request.method == "GET" and (problem.status >= 500 or problem.status == 429) else "",
    )
