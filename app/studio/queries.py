"""Read models of the studio's pages. Each says how many SQL statements it takes."""

import re
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.runs import queries as runs
from app.runs import service
from app.studio import variables
from app.studio.forms import FlowReplace
from app.studio.rechecking import rechecked
from app.studio.service import store
from app.studio.service.editing import MOST_SINCE, Answer, redrawn
from app.studio.shapes import NodeView, node_view
from app.studio.variables import Place, missing
from app.web import Actor
from flows import catalogue
from flows.compile import check
from flows.model import Flow, NodeUse
from flows.problems import Problem
from flows.sdk.holes import VARS


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
    def edges(self) -> list[tuple[str, str]]:
        return [(edge.source, edge.target) for edge in self.flow.edges]


async def editor(actor: Actor, flow_id: UUID) -> Editor:
    """2 statements, one for the live version's document the first time it is seen, two where steps read variables.

    Raises NotFound.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select id, rev, document, live_version_id, archived_at from flow where id = $1", flow_id
        )
        if row is None:
            raise NotFound(store.GONE)
        undo, redo = await store.can_step(tx, flow_id, actor.user_id)
    await know_variables(actor, flow_id, row["document"])
    return Editor(
        id=row["id"],
        rev=row["rev"],
        flow=store.decode_flow(row["document"]),
        undo=undo,
        redo=redo,
        live_version_id=row["live_version_id"],
        live_flow=await live_flow(actor, row["live_version_id"]),
        archived=row["archived_at"] is not None,
    )


class Listed(Struct, frozen=True):
    """A flow in a list of all flows."""

    id: UUID
    name: str
    description: str
    steps: int
    live_version_id: UUID | None
    updated_at: datetime
    archived: bool


async def flows(actor: Actor) -> list[Listed]:
    """All flows of the workspace, the last edited first. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, name, description, step_count, live_version_id, updated_at, "
            "archived_at is not null as archived "
            "from flow order by updated_at desc"
        )
    return [Listed(*row.values()) for row in rows]


async def draft(actor: Actor, flow_id: UUID) -> tuple[Flow, int]:
    """The document and its revision. 1 statement, two more where steps read variables. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select rev, document from flow where id = $1", flow_id)
    if row is None:
        raise NotFound(store.GONE)
    await know_variables(actor, flow_id, row["document"])
    return store.decode_flow(row["document"]), row["rev"]


async def there(actor: Actor, flow_id: UUID) -> None:
    """1 statement. Raises NotFound when this person can't see such a flow."""
    async with tenant_tx(actor.workspace_id) as tx:
        if not await tx.fetchval("select 1 from flow where id = $1", flow_id):
            raise NotFound(store.GONE)


async def since(actor: Actor, flow_id: UUID, rev: int) -> Answer:
    """What happened after a revision, in the form of an edit's answer. 3 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select rev, document, live_version_id from flow where id = $1", flow_id)
        if row is None:
            raise NotFound(store.GONE)
        batches = await store.since(tx, flow_id, rev)
        undo, redo = await store.can_step(tx, flow_id, actor.user_id)
    return Answer(
        rev=row["rev"],
        flow=store.decode_flow(row["document"]),
        live_version_id=row["live_version_id"],
        since=batches,
        extra=[],
        dropped=[],
        touched=redrawn([op for batch in batches for op in batch.ops]),
        undo=undo,
        redo=redo,
        resync=len(batches) > MOST_SINCE or any(isinstance(op, FlowReplace) for batch in batches for op in batch.ops),
    )


_live: OrderedDict[UUID, tuple[UUID, Flow]] = OrderedDict()
"""Documents of versions, which never change: version -> (workspace, document)."""


async def live_flow(actor: Actor, version_id: UUID | None) -> Flow | None:
    """A version's document. 1 statement the first time, then none."""
    if version_id is None:
        return None
    kept = _live.get(version_id)
    if kept is None or kept[0] != actor.workspace_id:
        async with tenant_tx(actor.workspace_id) as tx:
            version = await service.version(tx, version_id)
        if version is None:
            return None
        kept = _live[version_id] = (actor.workspace_id, version.document)
        while len(_live) > 64:
            _live.popitem(last=False)
    return kept[1]


async def versions(actor: Actor, flow_id: UUID) -> list[Version]:
    """Published versions, newest first. 2 statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select live_version_id from flow where id = $1", flow_id)
    if row is None:
        raise NotFound(store.GONE)
    return [
        Version(v.id, v.number, v.name, v.notes, v.created_at, v.by, v.id == row["live_version_id"])
        for v in await runs.versions(actor, flow_id)
    ]


def step(flow: Flow, node_id: str) -> NodeUse:
    """One step of a document. Raises NotFound."""
    for node in flow.nodes:
        if node.id == node_id:
            return node
    raise NotFound("This step was deleted.")


class Checked(Struct, frozen=True):
    """A document with its steps named, and its problems."""

    flow: Flow
    problems: list[Problem]


_found: OrderedDict[tuple[UUID, int], list[Problem]] = OrderedDict()
"""Problems by flow and revision: an edit's answer finds them, the panel that opens next needs them again."""
_checked: OrderedDict[UUID, Checked] = OrderedDict()
"""The last document looked at of each flow: the next one is often the same but for a few letters."""


_places: OrderedDict[UUID, list[Place]] = OrderedDict()
"""What the environments call their variables, of flows whose steps read some, as somebody saw them last."""


async def know_variables(actor: Actor, flow_id: UUID, text: str) -> None:
    """Before `problems_at`: so that it can say which variables are missing. Nothing for a text (the document, or what
    changed in it) that names none; else 2 statements.
    """
    if VARS not in text:
        return
    now = await variables.places(actor)
    if _places.get(flow_id) != now:
        _places[flow_id] = now
        for key in [key for key in _found if key[0] == flow_id]:
            del _found[key]
    while len(_places) > 64:
        _places.popitem(last=False)


def problems_at(flow_id: UUID, rev: int, flow: Flow) -> list[Problem]:
    """`problems_of`, kept for the last revisions looked at. `flow` must be the document at that revision."""
    kept = _found.get((flow_id, rev))
    if kept is None:
        named, last, kinds = _named(flow), _checked.get(flow_id), catalogue.load()
        own = rechecked(last.flow, last.problems, named, kinds) if last is not None else None
        own = _check(named) if own is None else own
        places = _places.get(flow_id)
        kept = _found[flow_id, rev] = [*own, *missing(named, places, kinds)] if places else own
        _checked[flow_id] = Checked(named, own)
        for memory in (_found, _checked):
            while len(memory) > 64:
                memory.popitem(last=False)
    return kept


def known_problems(flow_id: UUID, rev: int) -> list[Problem] | None:
    """Those at a revision that was looked at lately; None when nobody did."""
    return _found.get((flow_id, rev))


def problems_of(flow: Flow) -> list[Problem]:
    """What keeps the flow from running, errors first. Steps without a name of their own are called by their kind."""
    return _check(_named(flow))


def _named(flow: Flow) -> Flow:
    kinds = catalogue.load()
    named = [
        msgspec.structs.replace(node, label=kinds[node.type].title) if not node.label and node.type in kinds else node
        for node in flow.nodes
    ]
    return Flow(nodes=named, edges=flow.edges, name=flow.name, format=flow.format)


def _check(named: Flow) -> list[Problem]:
    return sorted(check(named, catalogue.load()), key=lambda problem: problem.severity != "error")


_NAMED = re.compile(r"^Step '.*?' ")


def faults_of(problems: list[Problem]) -> dict[str, str]:
    """Step -> its first problem without its own name, for the foot of its card."""
    found: dict[str, str] = {}
    for problem in problems:
        if problem.node and problem.node not in found:
            words = _NAMED.sub("", problem.message)
            found[problem.node] = words[:1].upper() + words[1:]
    return found


def views(flow: Flow, problems: list[Problem], only: set[str] | None = None) -> list[NodeView]:
    """The steps as cards; containers before what lies in them. `problems`: those of the flow."""
    kinds = catalogue.load()
    wired: dict[str, dict[str, None]] = {node.id: {} for node in flow.nodes if only is None or node.id in only}
    for edge in flow.edges:
        source, _, out = edge.source.partition(".")
        target, _, into = edge.target.partition(".")
        if source in wired:
            wired[source][f"out:{out}"] = None
        if target in wired:
            wired[target][f"in:{into}"] = None
    faults = faults_of(problems)
    found = [
        node_view(node, kinds, tuple(wired[node.id]), faults.get(node.id, ""))
        for node in flow.nodes
        if node.id in wired
    ]
    return sorted(found, key=lambda view: not view.container)
