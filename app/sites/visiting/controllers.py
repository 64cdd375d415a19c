"""What visitors can ask of a site's host. Every page reads without scripts; scripts only make it pleasanter."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from app.errors import NotFound, TooMany
from app.sites.blocks import Chat, Form
from app.sites.garden import sprout
from app.sites.palette import stylesheet
from app.sites.visiting import answers, previews, published, running, submissions, talk, theme
from app.sites.visiting.answers import LiveAnswer, Written
from app.sites.visiting.faces import form_fields, read
from app.sites.visiting.published import PublicPage
from app.sites.visiting.talk import Asked, Turn
from app.sites.visiting.views import FormState, PageState, block_view, form_view, pictures, site_view, turn_view
from app.sites.visiting.visit import COOKIE, COOKIE_DAYS, PublicSite, Visit, new_secret, site_of_host, visitor_of
from app.web import cookies, ratelimit
from app.web.closing import closing

Asking = Request[Any, Any, Any]


class Question(Struct, frozen=True):
    message: Annotated[str, Meta(min_length=1, max_length=4_000)]


async def provide_visit(request: Asking) -> Visit:
    site = await site_of_host(request.headers.get("host", ""))
    if site is None:
        raise NotFound("There is no site at this address.", remedy="Check the address for typing mistakes.")
    request.scope["state"]["site"] = site
    client = request.client
    return Visit(site, visitor_of(cookies.read(request, COOKIE)), client.host if client else "")


class PageController(Controller):
    """The site's pages and the small files that belong to it."""

    @get(["/", "/{path:str}"], name="site:page")
    async def page(self, request: Asking, visit: NamedDependency[Visit], path: FromPath[str] = "") -> Response[str]:
        page = await published.page_at(visit.site, f"/{path}")
        return await _page(request, visit, page, await _state(visit, page))

    @get("/preview/{ticket:str}", name="site:preview")
    async def preview(self, request: Asking, visit: NamedDependency[Visit], ticket: FromPath[str]) -> Response[str]:
        """A draft, for who has the ticket: signed, good for one hour, of one page."""
        request.scope["state"]["preview"] = True
        page = await previews.draft(visit.site, ticket)
        state = PageState(preview=True, fields=await _fields(visit, page))
        return await _page(request, visit, page, state)

    @get("/colours.css", name="site:colours")
    async def colours(self, visit: NamedDependency[Visit]) -> Response[str]:
        return _cached(stylesheet(visit.site.tint), "text/css")

    @get("/icon.svg", name="site:icon")
    async def icon(self, visit: NamedDependency[Visit]) -> Response[str]:
        picture = sprout(visit.site.name).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        for role, paint in (("leaf", "#0c5030"), ("moss", "#559a4a"), ("lime", "#c4ea62")):
            picture = picture.replace(f'class="{role}"', f'fill="{paint}"')
        return _cached(picture, "image/svg+xml")

    @get("/robots.txt", name="site:robots")
    async def robots(self, request: Asking, visit: NamedDependency[Visit]) -> Response[str]:
        return _cached(f"User-agent: *\nDisallow: /preview/\nSitemap: {_origin(request)}/sitemap.xml\n", "text/plain")

    @get("/sitemap.xml", name="site:sitemap")
    async def sitemap(self, request: Asking, visit: NamedDependency[Visit]) -> Response[str]:
        entries = "".join(
            f"<url><loc>{_origin(request)}{path}</loc></url>" for path in await published.paths(visit.site)
        )
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        return _cached(f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{space}">{entries}</urlset>', "text/xml")


class ChatController(Controller):
    """A conversation with one block. With scripts the answer streams; without, the page comes back with it."""

    path = "/chat/{page_id:uuid}/{block_id:str}"

    @post("/", name="site:question")
    async def ask(
        self,
        request: Asking,
        visit: NamedDependency[Visit],
        page_id: FromPath[UUID],
        block_id: FromPath[str],
        data: URLEncodedBody[Question],
    ) -> Response[Any]:
        page = await published.page_of(visit.site, page_id)
        block = page.block(block_id)
        if not isinstance(block, Chat):
            raise NotFound("This part of the page is no chat.")
        visitor = await _admitted(request, visit)
        question = data.message.strip()
        asked = await talk.ask(visit, visitor, page_id, block_id, block.flow_id, question)
        live = _begin(visit.site, visitor, block.flow_id, asked)
        if "text/event-stream" in request.headers.get("accept", ""):
            return _events(_told(visit.site, asked, live))
        async for _ in live.listen():
            pass
        return Redirect(f"{page.path}#{block_id}", status_code=303)

    @get("/live", name="site:live-answer")
    async def live(
        self, visit: NamedDependency[Visit], page_id: FromPath[UUID], block_id: FromPath[str]
    ) -> Response[Any]:
        """The rest of an answer that was under way when the page was loaded."""
        current = await talk.turns(visit, page_id, block_id)
        if not current or current[-1].role != "assistant":
            raise NotFound("No answer is being written.")
        return _events(_rest(visit, page_id, block_id, current[-1]))

    @post("/ending", name="site:conversation-ending")
    async def end(self, visit: NamedDependency[Visit], page_id: FromPath[UUID], block_id: FromPath[str]) -> Redirect:
        page = await published.page_of(visit.site, page_id)
        await talk.end(visit, page_id, block_id)
        return Redirect(f"{page.path}#{block_id}", status_code=303)


class FormController(Controller):
    """A form that a flow answers."""

    path = "/form/{page_id:uuid}/{block_id:str}"

    @post("/", name="site:form")
    async def send(
        self, request: Asking, visit: NamedDependency[Visit], page_id: FromPath[UUID], block_id: FromPath[str]
    ) -> Response[Any]:
        page = await published.page_of(visit.site, page_id)
        block = page.block(block_id)
        if not isinstance(block, Form):
            raise NotFound("This part of the page is no form.")
        fields = await form_fields(visit.site.workspace_id, block.flow_id)
        given, typed, problems = read(fields, dict(await request.form()))
        form = FormState(values=typed, problems=problems)
        if not fields:
            form = FormState(values=typed, problem=running.RESTING)
        elif not problems:
            visitor = await _admitted(request, visit)
            written = await submissions.submit(visit, visitor, page_id, block, given)
            done = written.state == "done"
            form = FormState(values=typed, result=written.text if done else "", problem="" if done else written.text)
        status = 200 if form.result else 422
        if request.headers.get("x-fragment") == "form":
            state = PageState(forms={block_id: form}, fields={block_id: fields})
            values = {"block": form_view(block, page_id, state) | {"again": page.path}}
            return _html(theme.render(visit.site.theme, "blocks/_form.html", values), status)
        state = await _state(visit, page, forms={block_id: form})
        return await _page(request, visit, page, state, status)


def _begin(site: PublicSite, visitor: bytes, flow_id: UUID, asked: Asked) -> LiveAnswer:
    given = running.chat_input(asked.question.text, asked.history, asked.conversation_id)

    async def write(live: LiveAnswer) -> Written:
        return await running.run(site, visitor, flow_id, given, f"turn:{asked.answer.id}", live.say)

    async def keep(written: Written) -> None:
        await talk.settle(site, visitor, asked.answer.id, written.text, written.state, written.run_id)

    return answers.begin(asked.answer.id, write, keep)


async def _told(site: PublicSite, asked: Asked, live: LiveAnswer) -> AsyncIterator[bytes]:
    yield _event("question", html=_turns(site, asked.question, asked.answer))
    async for event in _as_written(site, asked.answer, live):
        yield event


async def _as_written(site: PublicSite, answer: Turn, live: LiveAnswer) -> AsyncIterator[bytes]:
    async for piece in live.listen():
        yield _event("token", text=piece)
        if closing().is_set():
            return
    written = live.written
    if written is None or written.state == "failed":
        yield _event("failed", message=written.text if written is not None else "The answer was interrupted.")
    else:
        yield _event("done", html=_turns(site, Turn(answer.id, "assistant", written.text, "done")))


async def _rest(visit: Visit, page_id: UUID, block_id: str, answer: Turn) -> AsyncIterator[bytes]:
    live = answers.under_way(answer.id)
    if live is not None:
        async for event in _as_written(visit.site, answer, live):
            yield event
        return
    fresh = [turn for turn in await talk.turns(visit, page_id, block_id) if turn.id == answer.id]
    if fresh and fresh[0].state == "done":
        yield _event("done", html=_turns(visit.site, fresh[0]))
    else:
        yield _event("failed", message="The answer was interrupted. Ask again.")


def _turns(site: PublicSite, *turns: Turn) -> str:
    values = [{"turn": turn_view(turn)} | pictures(site) for turn in turns]
    return "".join(theme.render(site.theme, "blocks/_turn.html", each) for each in values)


async def _admitted(request: Asking, visit: Visit) -> bytes:
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


async def _state(visit: Visit, page: PublicPage, forms: dict[str, FormState] | None = None) -> PageState:
    turns, failed = {}, {}
    for block in page.blocks:
        if isinstance(block, Chat):
            found = await talk.turns(visit, page.id, block.id)
            turns[block.id] = [turn for turn in found if turn.state != "failed"]
            if found and found[-1].state == "failed":
                failed[block.id] = found[-1].text
    return PageState(turns=turns, failed=failed, forms=forms or {}, fields=await _fields(visit, page))


async def _fields(visit: Visit, page: PublicPage) -> dict[str, Any]:
    forms = [block for block in page.blocks if isinstance(block, Form)]
    return {block.id: await form_fields(visit.site.workspace_id, block.flow_id) for block in forms}


async def _page(request: Asking, visit: Visit, page: PublicPage, state: PageState, status: int = 200) -> Response[str]:
    values = {
        "site": site_view(visit.site, page),
        "page": {
            "title": page.title,
            "description": page.description,
            "path": page.path,
            "url": _origin(request) + page.path,
        },
        "blocks": [block_view(block, page.id, state) for block in page.blocks],
        "assets": theme.asset_urls(visit.site) | ({"js": []} if state.preview else {}),
        "nonce": "",
        "preview": state.preview,
    }  # fmt: skip
    return _html(theme.render(visit.site.theme, "page.html", values | pictures(visit.site)), status)


def _origin(request: Asking) -> str:
    return f"{'https' if cookies.is_https(request.scope) else 'http'}://{request.headers.get('host', '')}"


def _html(body: str, status: int) -> Response[str]:
    return Response(body, status_code=status, media_type="text/html; charset=utf-8", headers={"vary": "cookie"})


def _cached(body: str, media_type: str) -> Response[str]:
    return Response(body, media_type=media_type, headers={"cache-control": "public, max-age=300"})


def _event(kind: str, **data: str) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))


def _events(events: AsyncIterator[bytes]) -> Stream:
    return Stream(
        events, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


routes: list[ControllerRouterHandler] = [
    Router(
        "/",
        route_handlers=[PageController, ChatController, FormController],
        dependencies={"visit": Provide(provide_visit)},
    )
]
