"""A conversation with one block. With scripts the answer streams; without, the page comes back with it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from msgspec import Meta, Struct

from app.errors import NotFound
from app.sites.blocks import Chat
from app.sites.visiting import answers, published, running, talk, theme
from app.sites.visiting.answers import LiveAnswer, Written
from app.sites.visiting.controllers.admission import admitted
from app.sites.visiting.controllers.showing import Asking
from app.sites.visiting.talk import Asked, Turn
from app.sites.visiting.views import pictures, place_of, turn_view
from app.sites.visiting.visit import PublicSite, Visit
from app.web.closing import closing
from app.web.patience import LiveStream


class Question(Struct, frozen=True):
    message: Annotated[str, Meta(min_length=1, max_length=4_000)]


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
        visitor = await admitted(request, visit)
        question = data.message.strip()
        asked = await talk.ask(visit, visitor, page_id, block_id, block.flow_id, question)
        live = _begin(visit.site, visitor, block.flow_id, asked)
        if "text/event-stream" in request.headers.get("accept", ""):
            return _events(_told(visit.site, asked, live, place_of(page_id, block_id)))
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


def _begin(site: PublicSite, visitor: bytes, flow_id: UUID, asked: Asked) -> LiveAnswer:
    given = running.chat_input(asked.question.text, asked.history, asked.conversation_id)

    async def write(live: LiveAnswer) -> Written:
        return await running.run(site, visitor, flow_id, given, f"turn:{asked.answer.id}", live.say)

    async def keep(written: Written) -> None:
        await talk.settle(site, visitor, asked.answer.id, written.text, written.state, written.run_id)

    return answers.begin(asked.answer.id, write, keep)


async def _told(site: PublicSite, asked: Asked, live: LiveAnswer, place: str) -> AsyncIterator[bytes]:
    yield _event("question", html=_turns(site, place, asked.question, asked.answer))
    async for event in _as_written(site, asked.answer, live, place):
        yield event


async def _as_written(site: PublicSite, answer: Turn, live: LiveAnswer, place: str) -> AsyncIterator[bytes]:
    async for piece in live.listen():
        yield _event("token", text=piece)
        if closing().is_set():
            return
    written = live.written
    if written is None or written.state == "failed":
        yield _event("failed", message=written.text if written is not None else "The answer was interrupted.")
    else:
        turn = Turn(answer.id, "assistant", written.text, "done", written.run_id)
        yield _event("done", html=_turns(site, place, turn))


async def _rest(visit: Visit, page_id: UUID, block_id: str, answer: Turn) -> AsyncIterator[bytes]:
    live, place = answers.under_way(answer.id), place_of(page_id, block_id)
    if live is not None:
        async for event in _as_written(visit.site, answer, live, place):
            yield event
        return
    fresh = [turn for turn in await talk.turns(visit, page_id, block_id) if turn.id == answer.id]
    if fresh and fresh[0].state == "done":
        yield _event("done", html=_turns(visit.site, place, fresh[0]))
    else:
        yield _event("failed", message="The answer was interrupted. Ask again.")


def _turns(site: PublicSite, place: str, *turns: Turn) -> str:
    values = [{"turn": turn_view(turn, place)} | pictures(site) for turn in turns]
    return "".join(theme.render(site.theme, "blocks/_turn.html", each) for each in values)


def _event(kind: str, **data: str) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))


def _events(events: AsyncIterator[bytes]) -> LiveStream:
    return LiveStream(
        events, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )
