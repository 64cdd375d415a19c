"""The language of a request, the switch that everybody can reach, and the script with the words of scripts.

What a person chose stands in the profile; who is not signed in yet keeps it in a cookie. The API always answers in
English: programs compare what it says.
"""

from typing import Annotated, Any, Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath, URLEncodedBody
from msgspec import Meta, Struct

from app.errors import NotFound
from app.language import browser, choice
from app.language.catalogue import ENGLISH
from app.web import cookies
from app.web.cookies import Connection
from app.web.htmx import Request
from app.web.places import safe_path
from app.web.scopes import header, state_of

COOKIE = "agentbase_language"
A_YEAR = 365 * 24 * 3600
PREFIX = "/language/"


def begin(connection: Connection) -> str:
    """The language of this request, from now on also of what is said without a request at hand (words.py)."""
    scope = connection.scope
    if scope["path"].startswith("/api/"):
        language = ENGLISH
    else:
        actor = state_of(scope).get("actor")
        told = (actor.language if actor is not None else "") or cookies.read(connection, COOKIE)
        language = choice.choose(told, header(scope, b"accept-language"))
    state_of(scope)["language"] = language
    choice.use(language)
    return language


def language_of(connection: Connection) -> str:
    """What `begin` found; on addresses outside of sessions this is where it is found first."""
    known = state_of(connection.scope).get("language")
    if known is None:
        return begin(connection)
    choice.use(known)
    return str(known)


def keep(connection: Connection, language: str) -> None:
    """Remember it in this browser; "" forgets."""
    cookies.put(connection, COOKIE, language, A_YEAR if language else 0)


class LanguageForm(Struct, frozen=True, forbid_unknown_fields=True):
    language: Annotated[str, Meta(max_length=20)]
    next: Annotated[str, Meta(max_length=2_000)] = "/"


class LanguageController(Controller):
    path = PREFIX

    @post("/", name="language:choose", opt={"public": True})
    async def choose(self, request: Request, data: URLEncodedBody[LanguageForm]) -> Response[Any]:
        from app.web.render import go  # pages know the language, and this is a page

        if data.language and data.language not in dict(choice.names()):
            raise NotFound("We do not speak this language yet.", remedy="Choose one of the list.")
        keep(request, data.language)
        return go(request, safe_path(data.next, "/"))

    @get("/{name:str}", name="language:file", opt={"public": True}, sync_to_thread=False)
    def file(self, name: FromPath[str]) -> Response[bytes]:
        content = browser.content_of(name)
        if content is None:
            raise NotFound("This file does not exist.", remedy="Reload the page: a newer version may be installed.")
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(content, headers=kept, media_type="text/javascript; charset=utf-8")


def html_language() -> str:
    return choice.current()


def html_direction() -> Literal["ltr", "rtl"]:
    return "rtl" if choice.direction(choice.current()) == "rtl" else "ltr"


def scripts_file() -> str:
    """The address of what scripts say; "" on English pages."""
    name = browser.name_of(choice.current())
    return PREFIX + name if name else ""


routes: list[Any] = [LanguageController]
