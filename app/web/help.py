"""The documentation as pages of the program: /help. Read from docs/, so it is there without a network: the same text.

Which page helps with which part of the dashboard stands in PLACES; the frame of every page links to it.
"""

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from msgspec import Struct

from app.errors import NotFound
from app.web import search
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import offer, page
from app.web.search import Hit

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLACES: tuple[tuple[str, str], ...] = (
    (r"/flows/[^/]+/(tests|datasets|experiments)|/runs/[^/]+/tests", "testing"),
    (r"/flows/[^/]+/triggers|/triggers|/webhooks", "triggers"),
    (r"/flows/[^/]+/shares|/shared/flows", "versions#sharing-a-flow"),
    (r"/flows/[^/]+/comparison", "versions#two-states-side-by-side"),
    (r"/flows/[^/]+/(history|versions)", "versions"),
    (r"/flows/[^/]+/limits", "operate/queue"),
    (r"/flows/[^/]+/drafting|/drafting", "drafting"),
    (r"/needs-you/approvals|/settings/publishing", "versions#approvals"),
    (r"/needs-you/mentions|/flows/[^/]+/comments", "comments"),
    (r"/flows/[^/]+/runs|/runs|/needs-you", "runs"),
    (r"/flows|/start|/$", "canvas"),
    (r"/site", "sites"),
    (r"/steps", "steps/index"),
    (r"/connections", "connections"),
    (r"/settings/git", "git"),
    (r"/settings/(variables|environments)", "versions#environments"),
    (r"/settings/keys", "workspace#api-keys"),
    (r"/settings/secrets", "workspace#secrets"),
    (r"/settings/files", "workspace#files"),
    (r"/settings/members", "workspace#people"),
    (r"/settings/devices", "workspace#devices"),
    (r"/language", "languages"),
    (r"/settings", "workspace#profile-and-password"),
)
"""(beginning of an address, help page and part); the first that fits counts."""
BUILDERS = ("adr/", "architecture", "style", "glossary", "extend/", "flow-", "benchmarks", "compare-editors")
"""Beginnings of the names of pages for those who work on Agentbase itself."""
_COMMENT = re.compile(r"\A\s*<!--.*?-->\s*", re.DOTALL)
_SLUG = re.compile(r"[^\w]+")


class Guide(Struct, frozen=True):
    """One page. `headings`: (id, words) of its parts."""

    name: str
    title: str
    html: Markup
    headings: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every page there is, such as "operate/install". Nothing else is ever opened."""
    return frozenset(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


@lru_cache(maxsize=256)
def guide(name: str) -> Guide:
    """Raises NotFound."""
    if name not in names():
        raise NotFound("There is no such help page.", remedy="Choose one of the overview.")
    text = _COMMENT.sub("", (DOCS / f"{name}.md").read_text(encoding="utf-8"))
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    tokens = parser.parse(text)
    headings = []
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            words = _plain(tokens[i + 1])
            token.attrSet("id", slug(words))
            headings.append((slug(words), words))
        if token.type in ("th_open", "td_open"):
            token.attrs.pop("style", None)  # our CSP has no inline style
            if token.type == "th_open" and not tokens[i + 1].content:
                token.tag = tokens[i + 2].tag = "td"  # a header without words is none for screen readers
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", address(name, str(inner.attrGet("href") or "")))
    title = headings[0][1] if headings else name
    if tokens and tokens[0].tag == "h1":
        del tokens[:3]  # the page around it shows the title as its own first heading
    html = Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  our own files, and no raw HTML in them
    return Guide(name, title, html, tuple(headings[1:]))


def address(at: str, href: str) -> str:
    """Where a link of a page leads here: to another page of help, else to the text it is (a file of the repository)."""
    if re.match(r"[a-z]+:|#|/", href):
        return href
    target, _, part = href.partition("#")
    parts: list[str] = []
    for each in (PurePosixPath(at).parent / target).parts:
        if each == "..":
            parts = parts[:-1]
        elif each != ".":
            parts.append(each)
    name = "/".join(parts).removesuffix(".md")
    return f"/help/{name}" + (f"#{part}" if part else "") if name in names() else "#"


def slug(words: str) -> str:
    return _SLUG.sub("-", words.lower()).strip("-") or "part"


def help_for(path: str) -> str:
    """The address of the page that helps with this place of the dashboard; the overview where none does."""
    for pattern, name in PLACES:
        if re.match(pattern, path):
            return f"/help/{name}"
    return "/help"


def _plain(token: Token) -> str:
    return "".join(each.content for each in token.children or () if each.type in ("text", "code_inline"))


async def _found(actor: Actor, words: str, most: int) -> list[Hit]:
    """For Ctrl K: help pages by title, then parts of them; those for people who use it before those for builders."""
    wanted = words.lower().split()
    pages: list[Hit] = []
    parts: list[Hit] = []
    for name in sorted(names(), key=lambda name: (name.startswith(BUILDERS), name)):
        if name.startswith("steps/") or name == "index":
            continue
        about = guide(name)
        if all(word in about.title.lower() for word in wanted):
            pages.append(Hit(about.title, "help", f"/help/{name}"))
        parts += [
            Hit(said, f"in {about.title}", f"/help/{name}#{part}")
            for part, said in about.headings
            if all(word in said.lower() for word in wanted)
        ]
    return [*pages, *parts][:most]


search.offer("Help", "life-buoy", _found)
offer("help_for", help_for)


class HelpController(Controller):
    path = "/help"

    @get("/", name="help")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return page(request, "help.html", nav="help", guide=guide("index"))

    @get("/{name:path}", name="help:page")
    async def show(self, request: Request, actor: NamedDependency[Actor], name: FromPath[Path]) -> Response[Any]:
        return page(request, "help.html", nav="help", guide=guide(name.as_posix().strip("/")))


routes: list[Any] = [HelpController]
