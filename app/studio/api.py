"""JSON twins of what people do with flows: same forms, same verbs."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct

from app.studio import queries, service
from app.studio.breakpoints_api import BreakpointsApi
from app.studio.comments_api import CommentsApi, MentionsApi
from app.studio.exposing_api import ExposingApi
from app.studio.finding import Found, find
from app.studio.forms import (
    CollapseForm,
    FlowForm,
    FragmentForm,
    InlineForm,
    OpsForm,
    PasteForm,
    PublishForm,
    ReplaceForm,
    RestoreForm,
    StepBackForm,
)
from app.studio.pins_api import PinsApi
from app.studio.previewing import Preview, PreviewForm, preview
from app.studio.schema_samples import SchemaSamplesApi
from app.studio.service.store import Batch
from app.studio.shelf_api import FoldersApi, ShelfApi
from app.studio.tries_api import TriesApi
from app.web.actor import Actor
from flows import catalogue
from flows.model import Flow
from flows.problems import Problem

LARGE = 8_000_000


class Made(Struct, frozen=True):
    id: UUID


class FlowView(Struct, frozen=True):
    """A flow with its draft. `problems`: what keeps the draft from running."""

    id: UUID
    name: str
    description: str
    rev: int
    live_version_id: UUID | None
    archived: bool
    document: Flow
    problems: list[Problem]


class Published(Struct, frozen=True):
    version_id: UUID


class EditedView(Struct, frozen=True):
    """What a batch came to (docs/adr/0010-flow-edits.md). `extra`: added by the server, `dropped`: left out.

    `resync`: too much happened since `base`, read the document anew. `said`: a sentence for the person, or "".
    """

    rev: int
    since: list[Batch]
    extra: list[Any]
    dropped: list[Any]
    undo: bool
    redo: bool
    resync: bool
    said: str


class FlowsApi(Controller):
    path = "/flows"
    tags = ["Flows"]

    @get("/", name="api:flows", summary="List flows")
    async def index(self, actor: NamedDependency[Actor]) -> list[queries.Listed]:
        return await queries.flows(actor)

    @post("/", name="api:flow-create", summary="Create a flow", request_max_body_size=LARGE)
    async def create(self, actor: NamedDependency[Actor], data: JSONBody[FlowForm]) -> Made:
        document = None if data.document is UNSET else data.document
        name = data.name if data.document is UNSET or data.name != "New flow" else data.document.name
        return Made(await service.create_flow(actor, name, document, data.description))

    @get("/{flow_id:uuid}", name="api:flow", summary="A flow with its draft")
    async def show(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> FlowView:
        flow = await queries.editor(actor, flow_id)
        return FlowView(
            flow.id,
            flow.flow.name,
            flow.flow.description,
            flow.rev,
            flow.live_version_id,
            flow.archived,
            flow.flow,
            queries.problems_of(flow.flow),
        )

    @put("/{flow_id:uuid}", name="api:flow-replace", summary="Replace the draft", request_max_body_size=LARGE)
    async def replace(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[ReplaceForm]
    ) -> dict[str, int]:
        return {"rev": await service.replace_document(actor, flow_id, data.document, data.base)}

    @post("/{flow_id:uuid}/ops", name="api:ops", summary="Edit the draft", status_code=200, request_max_body_size=LARGE)
    async def ops(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[OpsForm]) -> EditedView:
        return _edited(await service.apply_ops(actor, flow_id, data))

    @post("/{flow_id:uuid}/undo", name="api:undo", summary="Undo the last edit of this key's person", status_code=200)
    async def undo(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[StepBackForm]
    ) -> EditedView:
        return _edited(await service.undo(actor, flow_id, data.client))

    @post("/{flow_id:uuid}/redo", name="api:redo", summary="Redo", status_code=200)
    async def redo(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[StepBackForm]
    ) -> EditedView:
        return _edited(await service.redo(actor, flow_id, data.client))

    @post("/{flow_id:uuid}/fragment", name="api:fragment", summary="Copy steps", status_code=200, opt={"scope": "read"})
    async def fragment(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[FragmentForm]
    ) -> dict[str, Any]:
        fragment, left_out = await service.copy_fragment(actor, flow_id, data.ids)
        return {"fragment": fragment, "left_out": left_out}

    @post(
        "/{flow_id:uuid}/paste", name="api:paste", summary="Paste steps", status_code=200, request_max_body_size=LARGE
    )
    async def paste(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[PasteForm]
    ) -> EditedView:
        return _edited(await service.paste(actor, flow_id, data))

    @post(
        "/{flow_id:uuid}/subflows", name="api:collapse", summary="Make a flow of its own of some steps", status_code=200
    )
    async def collapse(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[CollapseForm]
    ) -> EditedView:
        return _edited(await service.collapse(actor, flow_id, data))

    @post("/{flow_id:uuid}/inlining", name="api:inline", summary="Put the steps of a flow back", status_code=200)
    async def inline(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[InlineForm]
    ) -> EditedView:
        return _edited(await service.inline(actor, flow_id, data))

    @get("/{flow_id:uuid}/found", name="api:flow-find", summary="Steps of a flow that hold some words")
    async def find(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], q: FromQuery[Annotated[str, Meta(max_length=200)]]
    ) -> list[Found]:
        flow, _ = await queries.draft(actor, flow_id)
        return find(flow, q, catalogue.load())

    @post(
        "/{flow_id:uuid}/nodes/{node_id:str}/preview",
        name="api:preview",
        summary="What a text comes to with the last run's values",
        status_code=200,
        opt={"scope": "read"},
    )
    async def preview(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        node_id: FromPath[str],
        data: JSONBody[PreviewForm],
    ) -> Preview:
        return await preview(actor, flow_id, node_id, data)

    @post("/{flow_id:uuid}/copies", name="api:flow-duplicate", summary="Duplicate a flow")
    async def duplicate(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Made:
        return Made(await service.duplicate(actor, flow_id))

    @put("/{flow_id:uuid}/archiving", name="api:flow-archive", summary="Put a flow away", status_code=204)
    async def archive(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> None:
        await service.archive(actor, flow_id)

    @delete("/{flow_id:uuid}/archiving", name="api:flow-unarchive", summary="Bring it back")
    async def unarchive(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> None:
        await service.unarchive(actor, flow_id)

    @get("/{flow_id:uuid}/export", name="api:flow-export", summary="The draft without secrets")
    async def export(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> Flow:
        return await service.export_flow(actor, flow_id)

    @get("/{flow_id:uuid}/versions", name="api:versions", summary="Published versions")
    async def versions(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[queries.Version]:
        return await queries.versions(actor, flow_id)

    @post("/{flow_id:uuid}/versions", name="api:publish", summary="Publish the draft")
    async def publish(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[PublishForm]
    ) -> Published:
        everybody = data.audience == "everybody"
        return Published(await service.publish(actor, flow_id, data.name, data.notes, live=everybody))

    @put("/{flow_id:uuid}/live", name="api:make-live", summary="Make a published version live", status_code=204)
    async def make_live(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RestoreForm]
    ) -> None:
        await service.make_live(actor, flow_id, data.version_id)

    @post("/{flow_id:uuid}/restoration", name="api:restore", summary="Make a version the draft", status_code=200)
    async def restore(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RestoreForm]
    ) -> dict[str, int]:
        return {"rev": await service.restore(actor, flow_id, data.version_id)}


def _edited(answer: service.Answer) -> EditedView:
    a = answer
    return EditedView(a.rev, a.since, a.extra, a.dropped, a.undo, a.redo, a.resync, a.said)


api_routes: list[Any] = [
    FlowsApi,
    ExposingApi,
    FoldersApi,
    ShelfApi,
    TriesApi,
    PinsApi,
    BreakpointsApi,
    CommentsApi,
    MentionsApi,
    SchemaSamplesApi,
]
