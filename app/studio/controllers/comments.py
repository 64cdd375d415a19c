"""Talking about a flow: the threads beside the canvas and the outline, and what mentions somebody."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, URLEncodedBody
from msgspec import Struct, structs

from app.studio import comments, queries, service
from app.studio.comment_forms import CommentForm, StepId, WordsForm
from app.studio.comments_page import panel_of
from app.studio.mentioning import marked
from app.web import asks
from app.web.actor import Actor
from app.web.flash import Toast, flash
from app.web.htmx import Request
from app.web.render import fragment, go, page

asks.offer(comments.unseen, "Mentions", "/needs-you/mentions")


class Shown(Struct, frozen=True):
    """Which threads of a flow are on the screen: of one step or of all, with those that are resolved or without."""

    flow_id: UUID
    about: str = ""
    resolved: bool = False

    @property
    def open(self) -> "Shown":
        return structs.replace(self, resolved=False)

    @property
    def outline(self) -> str:
        """The page on which they are shown without scripts."""
        more = f"&about={self.about}" if self.about else ""
        return f"/flows/{self.flow_id}/outline?panel=comments{more}{'&resolved=true' if self.resolved else ''}"


def shown_of(flow_id: FromPath[UUID], about: FromQuery[StepId] = "", resolved: FromQuery[bool] = False) -> Shown:
    return Shown(flow_id, about, resolved)


class CommentsController(Controller):
    path = "/flows/{flow_id:uuid}/comments"
    dependencies = {"shown": Provide(shown_of, sync_to_thread=False)}

    @get("/", name="studio:comments")
    async def index(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
    ) -> Response[Any]:
        """The panel of the canvas. A whole page is the outline with the same panel open."""
        if not request.htmx.partial:
            await queries.there(actor, shown.flow_id)
            return go(request, shown.outline)
        panel = await panel_of(actor, shown.flow_id, about=shown.about, resolved=shown.resolved)
        return fragment(request, "studio/comments/_panel.html", **panel)

    @get("/threads", name="studio:comment-threads")
    async def threads(
        self, request: Request, actor: NamedDependency[Actor], shown: NamedDependency[Shown]
    ) -> Response[Any]:
        return await _threads(request, actor, shown)

    @get("/counts", name="studio:comment-counts")
    async def counts(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> dict[str, int]:
        """Step -> its open threads, for the badges on the canvas."""
        await queries.there(actor, flow_id)
        return await comments.open_counts(actor, flow_id)

    @post("/", name="studio:comment", opt={"viewer": True})
    async def create(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        data: URLEncodedBody[CommentForm],
    ) -> Response[Any]:
        await service.comment(actor, shown.flow_id, data.text, step=data.step, thread=data.answers)
        return await _threads(request, actor, shown.open)

    @post("/{comment_id:uuid}", name="studio:comment-edit", opt={"viewer": True})
    async def edit(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        comment_id: FromPath[UUID],
        data: URLEncodedBody[WordsForm],
    ) -> Response[Any]:
        await service.edit_comment(actor, shown.flow_id, comment_id, data.text)
        return await _threads(request, actor, shown)

    @post("/{comment_id:uuid}/removal", name="studio:comment-remove", opt={"viewer": True})
    async def remove(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        comment_id: FromPath[UUID],
    ) -> Response[Any]:
        await service.remove_comment(actor, shown.flow_id, comment_id)
        toast = Toast("Comment removed.", undo=f"/flows/{shown.flow_id}/comments/{comment_id}/return")
        return await _threads(request, actor, shown, toast)

    @post("/{comment_id:uuid}/return", name="studio:comment-return", opt={"viewer": True})
    async def bring_back(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> Response[Any]:
        await service.return_comment(actor, flow_id, comment_id)
        return await _threads(request, actor, Shown(flow_id))

    @post("/{comment_id:uuid}/resolution", name="studio:comment-resolve", opt={"viewer": True})
    async def resolve(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        comment_id: FromPath[UUID],
    ) -> Response[Any]:
        await service.resolve(actor, shown.flow_id, comment_id)
        toast = Toast("Resolved.", undo=f"/flows/{shown.flow_id}/comments/{comment_id}/reopening")
        return await _threads(request, actor, shown.open, toast)

    @post("/{comment_id:uuid}/reopening", name="studio:comment-reopen", opt={"viewer": True})
    async def reopen(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        comment_id: FromPath[UUID],
    ) -> Response[Any]:
        await service.resolve(actor, shown.flow_id, comment_id, over=False)
        return await _threads(request, actor, shown.open)


class MentionsController(Controller):
    path = "/needs-you/mentions"

    @get("/", name="studio:mentions")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        called = await comments.names(actor)
        context: dict[str, Any] = {"mentions": await comments.mentions(actor), "marked": partial(marked, called=called)}
        context["others"] = await asks.listed(actor)
        if request.htmx.partial:
            return fragment(request, "studio/comments/_mentions.html", **context)
        return page(request, "studio/comments/mentions.html", nav="needs-you", **context)

    @post("/{comment_id:uuid}/seen", name="studio:mention-seen", status_code=303, opt={"viewer": True})
    async def seen(self, request: Request, actor: NamedDependency[Actor], comment_id: FromPath[UUID]) -> Response[Any]:
        await service.see_mention(actor, comment_id)
        return go(request, "/needs-you/mentions")


async def _threads(request: Request, actor: Actor, shown: Shown, toast: Toast | None = None) -> Response[Any]:
    """The list again for the element that asked; without scripts the outline's page with it."""
    if not request.htmx.partial:
        await queries.there(actor, shown.flow_id)
        if toast is not None:
            flash(request, toast.text, undo=toast.undo)
        return go(request, shown.outline)
    panel = await panel_of(actor, shown.flow_id, about=shown.about, resolved=shown.resolved)
    return fragment(request, "studio/comments/_comments.html", status_code=200, toast=toast, **panel)
