"""The edit algebra of a flow document: apply operations, get the document after them and the operations that undo them.

Pure. `apply(d, ops) -> (e, back)` and `apply(e, back)[0] == d`, order of steps and wires included (property-tested).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from app.studio.forms import (
    EdgeAdd,
    EdgeDelete,
    FlowMeta,
    FlowReplace,
    NodeAdd,
    NodeConfig,
    NodeDelete,
    NodeExpose,
    NodeLabel,
    NodeMove,
    NodePolicy,
    NodeReparent,
    NodeResize,
    NoteText,
    Op,
)
from flows.keeping import LONGEST_KEPT
from flows.model import Edge, Flow, NodeUse

MAX_NODES = 5_000
MAX_EDGES = 20_000
MAX_EXPOSED = 60


class OpRefused(Exception):
    """One operation does not fit the document.

    `gone`: what it speaks of was deleted meanwhile. `index`: which one of the batch.
    """

    def __init__(self, why: str, *, gone: bool = False, index: int = 0) -> None:
        super().__init__(why)
        self.why, self.gone, self.index = why, gone, index


def apply(flow: Flow, ops: Sequence[Op]) -> tuple[Flow, list[Op]]:
    """All of them or none: raises OpRefused with the index of the first that does not fit. `flow` stays as it was."""
    bench = Workbench(flow)
    undo: list[list[Op]] = []
    for index, op in enumerate(ops):
        try:
            undo.append(bench.apply(op))
        except OpRefused as refused:
            refused.index = index
            raise
    return bench.flow(), [op for back in reversed(undo) for op in back]


def node_of(end: str) -> str:
    """The node of a wire's end "node.port"."""
    return end.partition(".")[0]


def port_of(end: str) -> str:
    return end.partition(".")[2]


def touches(op: Op) -> frozenset[str]:
    """The fields an operation writes, as "node.field"; "*" = everything. Two edits meet when their fields do."""
    match op:
        case NodeConfig(id=id, field=field):
            return frozenset({f"{id}.settings.{field}"})
        case NodePolicy(id=id):
            return frozenset(f"{id}.{name}" for name in _POLICY if getattr(op, name) is not UNSET)
        case NodeExpose(id=id, field=field):
            return frozenset({f"{id}.exposed.{field}"})
        case FlowMeta():
            return frozenset(f"flow.{name}" for name in _META if getattr(op, name) is not UNSET)
        case EdgeAdd() | EdgeDelete():
            return frozenset({f"{op.source}>{op.target}"})
        case NodeAdd(node=node):
            return frozenset({node.id})
        case FlowReplace():
            return frozenset({"*"})
        case _:
            return frozenset(f"{op.id}{field}" for field in _WRITES[type(op)])


_WRITES: dict[type, tuple[str, ...]] = {
    NodeDelete: ("",),
    NodeMove: (".place",),
    NodeReparent: (".place", ".parent"),
    NodeResize: (".size",),
    NoteText: (".settings.text",),
    NodeLabel: (".label",),
}
_POLICY = ("retry", "on_error", "default", "timeout", "disabled", "keep")
_META = ("name", "description", "cost_limit")
O = TypeVar("O")  # noqa: E741  one operation type


class Workbench:
    """A document being edited. NodeUse objects are never changed in place: a changed node is a new one."""

    def __init__(self, flow: Flow) -> None:
        self.fill(flow)

    def fill(self, flow: Flow) -> None:
        self.nodes = {node.id: node for node in flow.nodes}
        self.edges = {edge.id: edge for edge in flow.edges}
        self.name, self.description, self.format = flow.name, flow.description, flow.format
        self.cost_limit = flow.cost_limit

    def flow(self) -> Flow:
        return Flow(
            nodes=list(self.nodes.values()),
            edges=list(self.edges.values()),
            name=self.name,
            description=self.description,
            cost_limit=self.cost_limit,
            format=self.format,
        )

    def apply(self, op: Op) -> list[Op]:
        """Do it; returns what undoes it, in the order to apply. Raises OpRefused and leaves everything as it was."""
        verb: Callable[[Workbench, Any], list[Op]] = _VERBS[type(op)]
        return verb(self, op)

    def node(self, id: str) -> NodeUse:
        node = self.nodes.get(id)
        if node is None:
            raise OpRefused("This step was deleted.", gone=True)
        return node

    def children(self, id: str) -> list[NodeUse]:
        return [node for node in self.nodes.values() if node.parent == id]

    def wires_of(self, id: str) -> list[Edge]:
        return [edge for edge in self.edges.values() if id in (node_of(edge.source), node_of(edge.target))]

    def change(self, node: NodeUse, **fields: Any) -> None:
        self.nodes[node.id] = msgspec.structs.replace(node, **fields)


def _insert(things: dict[str, O], key: str, thing: O, at: int | None) -> None:
    if at is None or at >= len(things):
        things[key] = thing
        return
    rest = list(things.items())[max(at, 0) :]
    for other, _ in rest:
        del things[other]
    things[key] = thing
    things.update(rest)


def _place(things: Iterable[str], key: str) -> int:
    return next(index for index, other in enumerate(things) if other == key)


def _node_add(bench: Workbench, op: NodeAdd) -> list[Op]:
    node = op.node
    if node.id in bench.nodes:
        raise OpRefused(f"A step with the id {node.id} is already here.")
    _check_node(node)
    if node.parent and node.parent not in bench.nodes:
        raise OpRefused("The step this one lay in was deleted.", gone=True)
    if len(bench.nodes) >= MAX_NODES:
        raise OpRefused(f"A flow has at most {MAX_NODES:,} steps. Move a part of it into a flow of its own.")
    _insert(bench.nodes, node.id, node, op.at)
    return [NodeDelete(node.id)]


def _node_move(bench: Workbench, op: NodeMove) -> list[Op]:
    node = bench.node(op.id)
    bench.change(node, x=op.x, y=op.y)
    return [NodeMove(node.id, node.x, node.y)]


def _node_resize(bench: Workbench, op: NodeResize) -> list[Op]:
    node = bench.node(op.id)
    bench.change(node, w=op.w, h=op.h)
    return [NodeResize(node.id, node.w, node.h)]


def _node_config(bench: Workbench, op: NodeConfig) -> list[Op]:
    node = bench.node(op.id)
    before = node.settings.get(op.field, UNSET)
    settings = dict(node.settings)
    if op.value is UNSET:
        settings.pop(op.field, None)
    else:
        settings[op.field] = op.value
    bench.change(node, settings=settings)
    return [NodeConfig(node.id, op.field, before)]


def _note_text(bench: Workbench, op: NoteText) -> list[Op]:
    return _node_config(bench, NodeConfig(op.id, "text", op.text))


def _node_label(bench: Workbench, op: NodeLabel) -> list[Op]:
    node = bench.node(op.id)
    bench.change(node, label=op.label)
    return [NodeLabel(node.id, node.label)]


def _node_expose(bench: Workbench, op: NodeExpose) -> list[Op]:
    node = bench.node(op.id)
    exposed = dict(node.exposed)
    before = exposed.pop(op.field, None)
    if op.shown is not None:
        exposed[op.field] = op.shown
    changed = msgspec.structs.replace(node, exposed=exposed)
    _check_node(changed)
    bench.nodes[node.id] = changed
    return [NodeExpose(node.id, op.field, before)]


def _node_policy(bench: Workbench, op: NodePolicy) -> list[Op]:
    node = bench.node(op.id)
    given = {name: getattr(op, name) for name in _POLICY if getattr(op, name) is not UNSET}
    back = NodePolicy(node.id, **{name: getattr(node, name) for name in given})
    bench.change(node, **given)
    return [back]


def _node_reparent(bench: Workbench, op: NodeReparent) -> list[Op]:
    node = bench.node(op.id)
    above = op.parent
    while above:
        if above == node.id:
            raise OpRefused("A step can't lie inside itself.")
        above = bench.node(above).parent
    bench.change(node, parent=op.parent, x=op.x, y=op.y)
    return [NodeReparent(node.id, node.parent, node.x, node.y)]


def _node_delete(bench: Workbench, op: NodeDelete) -> list[Op]:
    """Children first, then wires, last first: undone in reverse order, every place in the lists is the old one."""
    node = bench.node(op.id)
    undo: list[list[Op]] = [_node_delete(bench, NodeDelete(child.id)) for child in bench.children(node.id)]
    for edge in bench.wires_of(node.id):
        undo.append(_edge_delete(bench, EdgeDelete(edge.source, edge.target)))
    at = _place(bench.nodes, node.id)
    del bench.nodes[node.id]
    undo.append([NodeAdd(node, at)])
    return [back for step in reversed(undo) for back in step]


def _edge_add(bench: Workbench, op: EdgeAdd) -> list[Op]:
    edge = Edge(op.source, op.target)
    source, target = node_of(op.source), node_of(op.target)
    if source not in bench.nodes or target not in bench.nodes:
        raise OpRefused("One end of this wire was deleted.", gone=True)
    if edge.id in bench.edges:
        raise OpRefused("This wire is already there.")
    if source == target:
        raise OpRefused("A step can't feed itself. Put the repetition in a “For each” step.")
    if len(bench.edges) >= MAX_EDGES:
        raise OpRefused(f"A flow has at most {MAX_EDGES:,} wires.")
    _insert(bench.edges, edge.id, edge, op.at)
    return [EdgeDelete(op.source, op.target)]


def _edge_delete(bench: Workbench, op: EdgeDelete) -> list[Op]:
    key = f"{op.source}>{op.target}"
    if key not in bench.edges:
        raise OpRefused("This wire was deleted.", gone=True)
    at = _place(bench.edges, key)
    del bench.edges[key]
    return [EdgeAdd(op.source, op.target, at)]


def _flow_meta(bench: Workbench, op: FlowMeta) -> list[Op]:
    given = [name for name in _META if getattr(op, name) is not UNSET]
    back = FlowMeta(**{name: getattr(bench, name) for name in given})
    for name in given:
        setattr(bench, name, getattr(op, name))
    return [back]


def _flow_replace(bench: Workbench, op: FlowReplace) -> list[Op]:
    before = bench.flow()
    check_whole(op.document)
    bench.fill(op.document)
    return [FlowReplace(before)]


def check_whole(flow: Flow) -> None:
    """What must hold in every document whatever it means. Raises OpRefused with the sentence to show."""
    ids = {node.id for node in flow.nodes}
    if len(ids) != len(flow.nodes):
        raise OpRefused("Two steps of this document have the same id.")
    if len(flow.nodes) > MAX_NODES or len(flow.edges) > MAX_EDGES:
        raise OpRefused(f"A flow has at most {MAX_NODES:,} steps and {MAX_EDGES:,} wires.")
    for node in flow.nodes:
        _check_node(node)
    parents = {node.id: node.parent for node in flow.nodes}
    for node in flow.nodes:
        seen, above = {node.id}, node.parent
        while above:
            if above not in ids:
                raise OpRefused(f"The step {node.id!r} lies in {above!r}, which is not in this document.")
            if above in seen:
                raise OpRefused(f"The step {node.id!r} lies inside itself.")
            seen.add(above)
            above = parents[above]
    wires = set()
    for edge in flow.edges:
        if node_of(edge.source) not in ids or node_of(edge.target) not in ids:
            raise OpRefused(f"The wire {edge.id} leads to a step that is not in this document.")
        if not (_PORT.fullmatch(port_of(edge.source)) and _PORT.fullmatch(port_of(edge.target))):
            raise OpRefused(f"The wire {edge.id} must be written node.port>node.port.")
        if edge.id in wires:
            raise OpRefused(f"The wire {edge.id} is there twice.")
        wires.add(edge.id)


_ID, _PORT = re.compile(r"[A-Za-z0-9_-]{1,40}"), re.compile(r"[A-Za-z0-9_-]{1,64}")


def _check_node(node: NodeUse) -> None:
    """The limits of forms.py for a node that comes as a whole: its undo must pass through them too."""
    if not _ID.fullmatch(node.id):
        raise OpRefused(f"The step id {node.id!r} must be 1 to 40 letters, digits, - or _.")
    if len(node.label) > 120:
        raise OpRefused(f"The name of the step {node.id} has more than 120 characters.")
    if len(node.exposed) > MAX_EXPOSED:
        raise OpRefused(f"The step {node.id} shows {len(node.exposed)} settings; at most {MAX_EXPOSED} are allowed.")
    if any(len(name) > 80 or len(e.label) > 120 or len(e.help) > 500 for name, e in node.exposed.items()):
        raise OpRefused("On the settings page a name has at most 120 characters, and its help 500.")
    if not (abs(node.x) <= 1e6 and abs(node.y) <= 1e6):
        raise OpRefused(f"The step {node.id} lies further than 1,000,000 px from the middle.")
    if any(side is not None and not 48 <= side <= 20_000 for side in (node.w, node.h)):
        raise OpRefused(f"The step {node.id} must be 48 to 20,000 px wide and high.")
    if node.timeout is not None and not 0 < node.timeout <= 86_400:
        raise OpRefused(f"The time limit of the step {node.id} must be between 0 and 86,400 seconds.")
    if node.keep is not None and not 0 < node.keep <= LONGEST_KEPT:
        raise OpRefused(f"The step {node.id} can keep its results for up to {LONGEST_KEPT:,} seconds.")


_VERBS: dict[type, Callable[[Workbench, Any], list[Op]]] = {
    NodeAdd: _node_add,
    NodeMove: _node_move,
    NodeResize: _node_resize,
    NodeConfig: _node_config,
    NodeLabel: _node_label,
    NodeExpose: _node_expose,
    NodeDelete: _node_delete,
    NodeReparent: _node_reparent,
    NodePolicy: _node_policy,
    EdgeAdd: _edge_add,
    EdgeDelete: _edge_delete,
    NoteText: _note_text,
    FlowMeta: _flow_meta,
    FlowReplace: _flow_replace,
}
