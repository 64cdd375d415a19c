"""Read models of the studio's pages. Each says how many SQL statements it takes."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.runs import queries as runs
from app.studio.service import store
from app.studio.service.store import Batch
from app.studio.shapes import NodeView, node_view
from app.web import Actor
from flows import catalogue
from flows.compile import check
from flows.model import Flow, NodeUse
from flows.problems import Problem


class Version(Struct, frozen=True):
    """A published version. `live`: it is the one that runs in public."""

    id: UUID
    number: int
    name: str
    notes: str
    created_at: datetime
    by: str
    live: bool


class Editor(Struct, frozen=True):
    """Everything the canvas page shows."""

    id: UUID
    rev: int
    flow: Flow
    undo: bool
    redo: bool
    live_version_id: UUID | None
    live_flow: Flow | None
    archived: bool

    @property
    def nodes(self) -> list[NodeView]:
        return views(self.flow)

    @property
    def edges(self) -> list[tuple[str, str]]:
        return [(edge.source, edge.target) for edge in self.flow.edges]


async def editor(actor: Actor, flow_id: UUID) -> Editor:
    """2 statements (3 when a version is live). Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select id, rev, document, live_version_id, archived_at from flow where id = $1", flow_id
        )
        if row is None:
            raise NotFound(store.GONE)
        undo, redo = await store.can_step(tx, flow_id, actor.user_id)
        live = row["live_version_id"]
        document = await tx.fetchval("select document from flow_version where id = $1", live) if live else None
    return Editor(
        id=row["id"],
        rev=row["rev"],
        flow=store.decode_flow(row["document"]),
        undo=undo,
        redo=redo,
        live_version_id=live,
        live_flow=store.decode_flow(document) if document else None,
        archived=row["archived_at"] is not None,
    )


async def draft(actor: Actor, flow_id: UUID) -> tuple[Flow, int]:
    """The document and its revision. 1 statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select rev, document from flow where id = $1", flow_id)
    if row is None:
        raise NotFound(store.GONE)
    return store.decode_flow(row["document"]), row["rev"]


async def since(actor: Actor, flow_id: UUID, rev: int) -> tuple[Flow, int, list[Batch], bool, bool]:
    """What happened after a revision: document, revision, edits, whether one can undo and redo. 3 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select rev, document from flow where id = $1", flow_id)
        if row is None:
            raise NotFound(store.GONE)
        batches = await store.since(tx, flow_id, rev)
        undo, redo = await store.can_step(tx, flow_id, actor.user_id)
    return store.decode_flow(row["document"]), row["rev"], batches, undo, redo


def step(flow: Flow, node_id: str) -> NodeUse:
    """One step of a document. Raises NotFound."""
    for node in flow.nodes:
        if node.id == node_id:
            return node
    raise NotFound("This step was deleted.")


def problems_of(flow: Flow) -> list[Problem]:
    """What keeps the flow from running, errors first."""
    return sorted(check(flow, catalogue.load()), key=lambda problem: problem.severity != "error")


def views(flow: Flow, only: set[str] | None = None) -> list[NodeView]:
    """The steps as cards; containers before what lies in them."""
    kinds = catalogue.load()
    wired: dict[str, list[str]] = {}
    for edge in flow.edges:
        source, _, out = edge.source.partition(".")
        target, _, into = edge.target.partition(".")
        for node, end in ((source, f"out:{out}"), (target, f"in:{into}")):
            if end not in wired.setdefault(node, []):
                wired[node].append(end)
    faults: dict[str, str] = {}
    for problem in problems_of(flow):
        faults.setdefault(problem.node, problem.message)
    found = [
        node_view(node, kinds, wired.get(node.id, ()), faults.get(node.id, ""))
        for node in flow.nodes
        if only is None or node.id in only
    ]
    return sorted(found, key=lambda view: not view.container)


__all__ = ["Editor", "Version", "draft", "editor", "problems_of", "runs", "since", "step", "views"]
