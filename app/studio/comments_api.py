"""JSON twins of comments: same forms, same verbs. A key speaks for the person who made it."""

from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.studio import comments, service
from app.studio.comment_forms import CommentForm, WordsForm
from app.web.actor import Actor


class MadeComment(Struct, frozen=True):
    id: UUID


class CommentsApi(Controller):
    path = "/flows/{flow_id:uuid}/comments"
    tags = ["Comments"]

    @get("/", name="api:comments", summary="Threads about a flow and its steps, the latest word first")
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[comments.Thread]:
        return await comments.threads(actor, flow_id)

    @post("/", name="api:comment", summary="Begin a thread, or reply in one")
    async def create(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[CommentForm]
    ) -> MadeComment:
        return MadeComment(await service.comment(actor, flow_id, data.text, step=data.step, thread=data.answers))

    @put("/{comment_id:uuid}", name="api:comment-edit", summary="Change a comment of one's own", status_code=204)
    async def edit(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        data: JSONBody[WordsForm],
    ) -> None:
        await service.edit_comment(actor, flow_id, comment_id, data.text)

    @delete("/{comment_id:uuid}", name="api:comment-remove", summary="Remove a comment of one's own")
    async def remove(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], comment_id: FromPath[UUID]) -> None:
        await service.remove_comment(actor, flow_id, comment_id)

    @put(
        "/{comment_id:uuid}/return",
        name="api:comment-return",
        summary="Bring back what was removed within the hour",
        status_code=204,
    )
    async def bring_back(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> None:
        await service.return_comment(actor, flow_id, comment_id)

    @put("/{comment_id:uuid}/resolution", name="api:comment-resolve", summary="Settle a thread", status_code=204)
    async def resolve(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], comment_id: FromPath[UUID]) -> None:
        await service.resolve(actor, flow_id, comment_id)

    @delete("/{comment_id:uuid}/resolution", name="api:comment-reopen", summary="Open a thread again")
    async def reopen(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], comment_id: FromPath[UUID]) -> None:
        await service.resolve(actor, flow_id, comment_id, over=False)


class MentionsApi(Controller):
    path = "/mentions"
    tags = ["Comments"]

    @get("/", name="api:mentions", summary="Comments that mention the key's person and wait to be seen")
    async def index(self, actor: NamedDependency[Actor]) -> list[comments.Mention]:
        return await comments.mentions(actor)

    @put("/{comment_id:uuid}/seen", name="api:mention-seen", summary="Note a mention as seen", status_code=204)
    async def seen(self, actor: NamedDependency[Actor], comment_id: FromPath[UUID]) -> None:
        await service.see_mention(actor, comment_id)
