"""What the canvas sends: batches of operations, undo, copy and paste; and what it asks to catch up."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from app.studio import presence, queries, rendering, service
from app.studio.finding import Found, find
from app.studio.forms import CollapseForm, FragmentForm, InlineForm, OpsForm, PasteForm, StepBackForm
from app.studio.service.editing import EditConflict
from app.web.actor import Actor
from app.web.htmx import Request
from flows import catalogue

LARGE = 8_000_000
"""Bytes of a batch or a fragment: a whole flow may be pasted."""


class EditingController(Controller):
    path = "/flows/{flow_id:uuid}"

    @post("/ops", name="studio:ops", status_code=200, request_max_body_size=LARGE)
    async def ops(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[OpsForm]
    ) -> Response[Any]:
        try:
            answer = await service.apply_ops(actor, flow_id, data)
        except EditConflict as conflict:
            body = {
                "title": conflict.message,
                "remedy": conflict.remedy,
                "rev": conflict.rev,
                "since": rendering.told(conflict.since),
                "conflict": conflict.clash,
            }
            return Response(body, status_code=409)
        return await _answered(request, actor, flow_id, answer)

    @post("/undo", name="studio:undo", status_code=200)
    async def undo(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[StepBackForm]
    ) -> Response[Any]:
        return await _answered(request, actor, flow_id, await service.undo(actor, flow_id, data.client))

    @post("/redo", name="studio:redo", status_code=200)
    async def redo(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[StepBackForm]
    ) -> Response[Any]:
        return await _answered(request, actor, flow_id, await service.redo(actor, flow_id, data.client))

    @post("/fragment", name="studio:fragment", status_code=200, opt={"viewer": True})
    async def copy(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[FragmentForm]
    ) -> dict[str, Any]:
        fragment, left_out = await service.copy_fragment(actor, flow_id, data.ids)
        return {"fragment": fragment, "left_out": left_out}

    @post("/paste", name="studio:paste", status_code=200, request_max_body_size=LARGE)
    async def paste(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[PasteForm]
    ) -> Response[Any]:
        return await _answered(request, actor, flow_id, await service.paste(actor, flow_id, data))

    @post("/subflows", name="studio:collapse", status_code=200)
    async def collapse(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[CollapseForm]
    ) -> Response[Any]:
        return await _answered(request, actor, flow_id, await service.collapse(actor, flow_id, data))

    @post("/inlining", name="studio:inline", status_code=200)
    async def inline(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[InlineForm]
    ) -> Response[Any]:
        return await _answered(request, actor, flow_id, await service.inline(actor, flow_id, data))

    @post("/presence", name="studio:presence", status_code=204, opt={"viewer": True})
    async def here(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[presence.PresenceForm]
    ) -> None:
        """A tab says that it has this flow open, and what is selected there."""
        await presence.say(actor, flow_id, data)

    @get("/found", name="studio:found")
    async def found(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], q: FromQuery[Annotated[str, Meta(max_length=200)]]
    ) -> dict[str, list[Found]]:
        """Ctrl F: the steps that hold these words."""
        flow, _ = await queries.draft(actor, flow_id)
        return {"hits": find(flow, q, catalogue.load())}

    @get("/changes", name="studio:changes")
    async def changes(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], since: FromQuery[int]
    ) -> Response[Any]:
        """What happened after a revision, for an editor that was told of somebody else's edit."""
        answer = await queries.since(actor, flow_id, since)
        return await _answered(request, actor, flow_id, answer)

    @get("/graph", name="studio:graph")
    async def graph(self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Response[Any]:
        """The whole document as the canvas wants it: for an editor that starts over."""
        flow = await queries.editor(actor, flow_id)
        everything = {node.id for node in flow.flow.nodes}
        found = queries.problems_at(flow_id, flow.rev, flow.flow)
        return Response(
            {
                "rev": flow.rev,
                "name": flow.flow.name,
                "nodes": "".join(rendering.cards(request, flow.flow, found, everything).values()),
                "edges": flow.edges,
                "html": {
                    **rendering.problems(request, flow.flow, found),
                    **rendering.draft_state(request, flow.flow, flow.live_flow),
                },
                "undo": flow.undo,
                "redo": flow.redo,
            }
        )


async def _answered(request: Request, actor: Actor, flow_id: UUID, answer: service.Answer) -> Response[Any]:
    live = await queries.live_flow(actor, answer.live_version_id)
    touched = [node.settings for node in answer.flow.nodes if node.id in answer.touched]
    await queries.know_variables(actor, flow_id, str(touched))
    return Response(rendering.edit_answer(request, flow_id, answer, live))
