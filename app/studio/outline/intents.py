"""What a person wants of the list, as the operations that the canvas sends, too. Pure; `wiring.edit` judges them."""

from uuid import uuid4

from app.errors import Refused
from app.studio.forms import EdgeAdd, EdgeDelete, NodeAdd, NodeDelete, NodeReparent, Op
from app.studio.ops import Workbench, node_of
from app.studio.ports import ports_of
from app.studio.shapes import CONTAINER_HEAD, node_view
from app.studio.wiring import above, chain_around, may_wire
from flows.catalogue import Catalogue
from flows.model import Edge, Flow, NodeUse
from flows.sdk.ports import Port, fits

GAP = 48
"""Pixels between a step and the one that is put after it."""


def add(flow: Flow, type: str, kinds: Catalogue, *, after: str = "", inside: str = "") -> tuple[str, list[Op]]:
    """A new step: behind `after`, in the middle of its wire when it has just one; or inside a container.

    Returns its id and the operations. Raises Refused for a type that is not installed.
    """
    kind = kinds.get(type)
    if kind is None:
        raise Refused(f"There is no kind of step called “{type}” here.", field="type")
    bench = Workbench(flow)
    before = bench.nodes.get(after)
    parent = inside if inside in bench.nodes else (before.parent if before else "")
    node = NodeUse(_free_id(bench, type), type, kind.version, parent=parent)
    node.x, node.y = _place(bench, node, before, kinds)
    ops: list[Op] = [NodeAdd(node)]
    if before is not None:
        ops += _joined(bench, before, node, kinds)
    return node.id, ops


def wire(flow: Flow, source: str, target: str, kinds: Catalogue) -> list[Op]:
    """Connect two ends. An input that takes one wire lets go of the one it has."""
    bench = Workbench(flow)
    into = bench.nodes.get(node_of(target))
    ports = ports_of(into, kinds) if into is not None else None
    port = next((p for p in ports.inputs if target == f"{into.id}.{p.name}"), None) if ports and into else None
    single = port is not None and not port.many
    gone = [edge for edge in bench.edges.values() if single and edge.target == target]
    return [*(EdgeDelete(edge.source, edge.target) for edge in gone), EdgeAdd(source, target)]


def unwire(flow: Flow, source: str, target: str) -> list[Op]:
    """Let go of a wire; with an empty end, of all wires at the other one."""
    return [
        EdgeDelete(edge.source, edge.target)
        for edge in flow.edges
        if (not source or edge.source == source) and (not target or edge.target == target)
    ]


def remove(node_id: str) -> list[Op]:
    """The step goes; what came in goes on to what came after, where it fits."""
    return [NodeDelete(node_id, keep_chain=True)]


def detach(flow: Flow, node_id: str, kinds: Catalogue) -> list[Op]:
    """The step stays, without wires; what came in goes on to what came after, where it fits. Wires that lead from a
    container into itself stay.
    """
    bench = Workbench(flow)
    inside = {node.id for node in flow.nodes if node_id in above(bench, node.id)} - {node_id}
    wires = [edge for edge in bench.wires_of(node_id) if not {node_of(edge.source), node_of(edge.target)} & inside]
    ops: list[Op] = [EdgeDelete(edge.source, edge.target) for edge in wires]
    bridges = chain_around(bench, node_id, kinds, wires)
    for op in ops:
        bench.apply(op)
    for bridge in bridges:
        if f"{bridge.source}>{bridge.target}" not in bench.edges and may_wire(bench, bridge, kinds) is None:
            bench.apply(bridge)
            ops.append(bridge)
    return ops


def move_into(flow: Flow, node_id: str, parent: str, kinds: Catalogue) -> list[Op]:
    """Into a container, or ("") out to the flow itself. Wires that would cross the border are let go of."""
    bench = Workbench(flow)
    node = bench.nodes[node_id]
    if node.parent == parent:
        return []
    moved = NodeUse(node.id, node.type, node.version, settings=node.settings, parent=parent)
    x, y = _place(bench, moved, None, kinds)
    ops: list[Op] = [NodeReparent(node_id, parent, x, y)]
    bench.apply(ops[0])
    crossing: list[Edge] = []
    for edge in bench.wires_of(node_id):
        bench.apply(EdgeDelete(edge.source, edge.target))
        if may_wire(bench, EdgeAdd(edge.source, edge.target), kinds) is not None:
            crossing.append(edge)
        else:
            bench.apply(EdgeAdd(edge.source, edge.target))
    return [*(EdgeDelete(edge.source, edge.target) for edge in crossing), *ops]


def _joined(bench: Workbench, before: NodeUse, node: NodeUse, kinds: Catalogue) -> list[Op]:
    """The wires of a new step: from the one before it, and on to what that one led to."""
    outs, ins = ports_of(before, kinds), ports_of(node, kinds)
    if outs is None or ins is None:
        return []
    pair = _first_fit([p for p in outs.outputs if not p.inside], [p for p in ins.inputs if not p.inside])
    if pair is None:
        return []
    source = f"{before.id}.{pair[0].name}"
    ops: list[Op] = [EdgeAdd(source, f"{node.id}.{pair[1].name}")]
    onward = [edge for edge in bench.edges.values() if edge.source == source]
    if len(onward) == 1:
        target = bench.nodes[node_of(onward[0].target)]
        there = ports_of(target, kinds)
        inputs = [p for p in there.inputs if f"{target.id}.{p.name}" == onward[0].target] if there else []
        on = _first_fit([p for p in ins.outputs if not p.inside], inputs)
        if on is not None:
            ops.insert(0, EdgeDelete(source, onward[0].target))
            ops.append(EdgeAdd(f"{node.id}.{on[0].name}", onward[0].target))
    return ops


def _first_fit(outputs: list[Port], inputs: list[Port]) -> tuple[Port, Port] | None:
    """Equal types before types that are converted, required inputs before others."""
    found = [(out, into) for into in inputs for out in outputs if fits(out.type, into.type)]
    found.sort(key=lambda pair: (pair[0].type != pair[1].type, not pair[1].required))
    return found[0] if found else None


def _place(bench: Workbench, node: NodeUse, before: NodeUse | None, kinds: Catalogue) -> tuple[float, float]:
    """Right of the step before it, below whatever lies there already; without one, below everything of its level."""
    size = node_view(node, kinds)
    level = [node_view(other, kinds) for other in bench.nodes.values() if other.parent == node.parent]
    level = [view for view in level if view.id != node.id]
    if before is not None and before.parent == node.parent:
        x, y = before.x + node_view(before, kinds).w + GAP, before.y
    else:
        x = min((view.x for view in level), default=GAP)
        y = max((view.y + view.h for view in level), default=CONTAINER_HEAD) + GAP
    for view in sorted(level, key=lambda view: view.y):
        if view.x < x + size.w and x < view.x + view.w and view.y < y + size.h and y < view.y + view.h:
            y = view.y + view.h + GAP
    return x, y


def _free_id(bench: Workbench, type: str) -> str:
    name = type.rpartition(".")[2].replace("_", "-")[:20] or "step"
    return name if name not in bench.nodes else f"{name}-{uuid4().hex[:6]}"
