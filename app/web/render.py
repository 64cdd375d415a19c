"""Jinja for the dashboard: `page` for a whole page, `fragment` for a part of one.

Every template may use: `actor` (None for a stranger), `request`, `nav` (key of the active entry), `flash` (list of
Toast);
the globals `asset`, `url_for`, `icon`, `csrf_token`, `nonce`, `dom_id`; the filters `money`, `duration`, `ago`,
`markdown`. A template is plain English; in another language it is rewritten before it is compiled (app/language).
The globals work inside imported macros too. A name that is not there is an error, never an empty string.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup

from app import clock
from app.language import choice
from app.language.catalogue import ENGLISH
from app.language.sentences import say
from app.language.templates import environment_in
from app.web import csp, csrf, language, words
from app.web.flash import Toast, take
from app.web.htmx import Request
from app.web.places import safe_path
from app.web.session import actor_of
from app.web.static import LOOKED_EVERY, asset

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_request: ContextVar[Request] = ContextVar("request")


class _Templates(FileSystemLoader):
    """Whether a file changed is looked at twice a second: a page includes one partial a hundred times."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, unchanged = super().get_source(environment, template)
        looked = clock.monotonic()

        def fresh() -> bool:
            nonlocal looked
            now = clock.monotonic()
            if now - looked < LOOKED_EVERY:
                return True
            looked = now
            return unchanged()

        return source, path, fresh


def environment(spoken: str = ENGLISH) -> Environment:
    """The Jinja environment of a language. Templates that change on disk are read again."""
    return _english() if spoken == ENGLISH else _in(spoken)


@lru_cache(maxsize=16)
def _in(spoken: str) -> Environment:
    return environment_in(spoken, _english())


@lru_cache(maxsize=1)
def _english() -> Environment:
    env = Environment(
        loader=_Templates(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do", "app.web.hx_nonce.StampNonce"],
    )
    env.globals.update(
        asset=asset,
        url_for=url_for,
        icon=icon,
        csrf_token=csrf_token,
        nonce=_Nonce(),
        dom_id=words.dom_id,
        urlencode=urlencode,
        html_language=language.html_language,
        html_direction=language.html_direction,
        scripts_file=language.scripts_file,
        languages=choice.names,
    )
    env.filters.update(
        money=words.money,
        duration=words.duration,
        ago=words.ago,
        figure=words.figure,
        markdown=words.markdown,
        lines=words.escape_lines,
        json=lambda value: msgspec.json.encode(value).decode(),
    )
    return env


def offer(name: str, value: Any) -> None:
    """A domain puts a global of its own into every template: for what must be there also when a form comes back."""
    _english().globals[name] = value


def page(
    request: Any,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    nav: str = "",
    **context: Any,
) -> Response[str]:
    """A whole page. Waiting toasts are handed to it as `flash`."""
    return _answer(request, template, status_code, headers, {"nav": nav, "flash": _waiting(request), **context})


def _waiting(request: Any) -> list[Toast]:
    language.language_of(request)
    return [Toast(say(toast.text), toast.kind, toast.undo) for toast in take(request)]


def fragment(
    request: Any,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    toast: Toast | None = None,
    **context: Any,
) -> Response[str]:
    """A part of a page, as answer to htmx. `toast` travels as the event `toast` with {text, kind, undo}."""
    more = dict(headers or {})
    if toast is not None:
        language.language_of(request)
        told = Toast(say(toast.text), toast.kind, toast.undo)
        more["HX-Trigger"] = msgspec.json.encode({"toast": told}).decode("ascii", "backslashreplace")
    return _answer(request, template, status_code, more, {"nav": "", "flash": [], **context})


def text(request: Any, template: str, **context: Any) -> str:
    """The rendered text alone, for pieces that are put together elsewhere (a stream, a mail)."""
    token = _request.set(request)
    spoken = language.language_of(request)
    actor = actor_of(request)
    if actor is not None:
        context.setdefault("workspace_name", actor.workspace_name)
    try:
        return environment(spoken).get_template(template).render(request=request, actor=actor, **context)
    finally:
        _request.reset(token)


def go(request: Any, path: str, *, default: str = "/") -> Response[Any]:
    """To another page of ours: 303 for a form, `HX-Redirect` for htmx. Foreign addresses become `default`."""
    target = safe_path(path, default)
    if request.headers.get("hx-request") == "true":
        return Response("", status_code=200, headers={"HX-Redirect": target}, media_type="text/html")
    return Redirect(target, status_code=303)


def url_for(name: str, **parameters: Any) -> str:
    """The path of a route by its name."""
    path: str = _request.get().app.route_reverse(name, **parameters)
    return path


def csrf_token() -> str:
    return csrf.token(_request.get())


def icon(name: str, size: int = 16, label: str = "") -> Markup:
    """A Lucide icon from the sprite. Without `label` it is decoration: the word stands beside it."""
    return _icon(asset("sprite.svg"), name, size, label)


@lru_cache(maxsize=2048)
def _icon(sprite: str, name: str, size: int, label: str) -> Markup:
    """Pages hold hundreds of some dozens: each is put together once."""
    hidden = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" width="{0}" height="{0}" {1}><use href="{2}#{3}"></use></svg>').format(
        size, hidden, sprite, name
    )


class _Nonce:
    """`{{ nonce }}` is this answer's nonce wherever it is written, in macros too."""

    def __str__(self) -> str:
        return csp.nonce(_request.get().scope)

    def __html__(self) -> str:
        return str(self)


def _answer(
    request: Any, template: str, status_code: int, headers: Mapping[str, str] | None, context: dict[str, Any]
) -> Response[str]:
    body = text(request, template, **context)
    return Response(body, status_code=status_code, headers=dict(headers or {}), media_type="text/html; charset=utf-8")
