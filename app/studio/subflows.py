"""A selection becomes a flow of its own: which steps, ports and wires that means. Pure. The way back: inlining.py.

The law: nothing may run differently afterwards. Where that can't be promised (a branch would end at the edge of the new
flow, a start or an answer would move inside), `Refused` says so before anything is done.
"""

import re
from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from app.errors import Refused
from app.studio.forms import EdgeAdd, NodeAdd, NodeDelete, Op
from app.studio.ops import node_of, port_of
from app.studio.ports import ports_of
from app.studio.service.fragments import members_of
from app.studio.shapes import node_view
from flows.catalogue import Catalogue
from flows.model import Edge, Flow, NodeUse
from flows.reading import AFTER_PORT
from flows.sdk.ports import Port

CALL = "logic.flow"
START, ANSWER, READ, COLLECT = "start.api", "show.answer", "data.json", "data.set"
KINDS = {"number": "number", "yesno": "yes/no", "object": "object", "list": "list"} | {
    kind: kind for kind in ("file", "image", "audio", "document")
}
"""Types of ports that a start step hands on exactly as they came; the others are read from its whole input."""
MOST_INPUTS = 40
GAP = 72


class Outer(Struct, frozen=True):
    """A crossing wire's place in the new flow. `name`: what the value is called there; `end`: where it comes from."""

    name: str
    end: str
    type: str


class Cut(Struct, frozen=True):
    """`inner`: the new flow. `ops`: what replaces the steps, once it is known which version the new step runs."""

    inner: Flow
    inputs: list[Outer]
    outputs: list[Outer]
    gone: list[str]
    parent: str
    x: float
    y: float
    waits: list[str]
    edges: list[Edge]


def cut(flow: Flow, ids: Sequence[str], name: str, kinds: Catalogue) -> Cut:
    """What lies in these steps, as a flow with inputs and outputs by the wires that cross its edge. Raises Refused."""
    nodes = {node.id: node for node in flow.nodes}
    chosen = _whole(nodes, ids)
    tops = [nodes[id] for id in chosen if nodes[id].parent not in chosen]
    steps = [node for node in tops if _family(node, kinds) != "note"]
    if not steps:
        raise Refused("There is no step among what is selected.", remedy="Select the steps that should become a flow.")
    if len({node.parent for node in steps}) > 1:
        raise Refused("These steps lie on different levels.", remedy="Select steps of one container, or of none.")
    for node in steps:
        kind = kinds.get(node.type)
        if kind is not None and (kind.trigger or kind.result):
            title = node.label or kind.title
            starts = f"“{title}” starts this flow, so it stays here."
            answers = f"“{title}” answers for this flow, so it stays here."
            raise Refused(starts if kind.trigger else answers, remedy="Leave it out.")
    silent = _maybe_silent(flow, kinds)
    into = [e for e in flow.edges if node_of(e.target) in chosen and node_of(e.source) not in chosen]
    out = [e for e in flow.edges if node_of(e.source) in chosen and node_of(e.target) not in chosen]
    waits = [e.source for e in into if port_of(e.target) == AFTER_PORT.name]
    inputs = _named([e for e in into if port_of(e.target) != AFTER_PORT.name], nodes, kinds, by_target=True)
    outputs = _named(out, nodes, kinds, by_target=False)
    if len(inputs) > MOST_INPUTS:
        raise Refused(f"{len(inputs)} values go into these steps; a flow takes at most {MOST_INPUTS}.")
    for each in outputs:
        if each.end in silent:
            raise Refused(
                f"Whether “{_title(nodes[node_of(each.end)], kinds)}” gives “{port_of(each.end)}” is decided inside.",
                remedy="Select the steps up to where the ways meet again (a Join), or leave the choice outside.",
            )
    if len(inputs) > 1 and (loose := next((each for each in inputs if each.end in silent), None)):
        raise Refused(
            f"“{_title(nodes[node_of(loose.end)], kinds)}” may bring nothing, while other values come.",
            remedy="Select that choice, too, or join the ways first.",
        )
    moved = [nodes[id] for id in chosen]
    left, top = min(n.x for n in tops), min(n.y for n in tops)
    inner = _inner(moved, chosen, flow, inputs, outputs, (left, top), name, kinds)
    return Cut(inner, inputs, outputs, [node.id for node in tops], steps[0].parent, left, top, waits, [*into, *out])


def replacing(part: Cut, version_id: UUID, name: str, new_id: str, kinds: Catalogue, taken: set[str]) -> list[Op]:
    """The operations that put one "Run a flow" step where the steps were, wired as they were."""
    fields = [each.name for each in part.inputs]
    use = NodeUse(
        new_id, CALL, kinds[CALL].version, name, {"flow": str(version_id), "fields": fields},
        x=part.x, y=part.y, parent=part.parent,
    )  # fmt: skip
    ops: list[Op] = [NodeDelete(id) for id in part.gone]
    ops.append(NodeAdd(use))
    ops += [EdgeAdd(each.end, f"{new_id}.{each.name}") for each in part.inputs]
    ops += [EdgeAdd(end, f"{new_id}.{AFTER_PORT.name}") for end in dict.fromkeys(part.waits)]
    gone = {node_of(each.end) for each in part.outputs}
    leaving = [edge for edge in part.edges if node_of(edge.source) in gone]
    for place, each in enumerate(part.outputs):
        end = f"{new_id}.{'text' if each.type == 'text' and len(part.outputs) == 1 else 'data'}"
        if len(part.outputs) > 1:
            reader = f"{new_id}_{place + 1}"
            while reader in taken:
                reader += "_"
            view = node_view(use, kinds)
            read = NodeUse(
                reader, READ, kinds[READ].version, each.name, {"path": each.name},
                x=part.x + view.w + GAP, y=part.y + place * 136, parent=part.parent,
            )  # fmt: skip
            ops += [NodeAdd(read), EdgeAdd(end, f"{reader}.source")]
            end = f"{reader}.value"
        ops += [EdgeAdd(end, edge.target) for edge in leaving if edge.source == each.end]
    return ops


def _inner(
    moved: list[NodeUse], chosen: list[str], flow: Flow, inputs: list[Outer], outputs: list[Outer],
    corner: tuple[float, float], name: str, kinds: Catalogue,
) -> Flow:  # fmt: skip
    taken = set(chosen)
    start, pack, answer = (free_name(word, taken) for word in ("start", "pack", "answer"))
    fields = [{"name": each.name, "kind": KINDS[each.type]} for each in inputs if each.type in KINDS]
    nodes = [NodeUse(start, START, kinds[START].version, settings={"fields": fields} if fields else {})]
    left = 288.0
    ends: dict[str, str] = {}
    row = 0
    for each in inputs:
        if each.type in KINDS:
            ends[each.end] = f"{start}.{each.name}"
            continue
        reader = free_name(each.name, taken)
        settings = {"path": each.name, "missing": "empty"}
        nodes.append(NodeUse(reader, READ, kinds[READ].version, each.name, settings, x=left, y=row * 136))
        ends[each.end] = f"{reader}.value"
        row += 1
    edges = [Edge(f"{start}.input", f"{node.id}.source") for node in nodes[1:]]
    left += 288 if row else 0
    for node in moved:
        if node.parent in chosen:
            nodes.append(node)
        else:
            nodes.append(msgspec.structs.replace(node, parent="", x=node.x - corner[0] + left, y=node.y - corner[1]))
    inside = set(chosen)
    for edge in flow.edges:
        if node_of(edge.target) not in inside:
            continue
        if node_of(edge.source) in inside:
            edges.append(edge)
        elif port_of(edge.target) != AFTER_PORT.name:
            edges.append(Edge(ends[edge.source], edge.target))
    right = max((n.x + (node_view(n, kinds).w) for n in nodes if not n.parent), default=left) + GAP
    if len(outputs) > 1:
        rows = [{"name": each.name, "kind": "value", "value": each.name} for each in outputs]
        nodes.append(NodeUse(pack, COLLECT, kinds[COLLECT].version, settings={"fields": rows}, x=right))
        edges += [Edge(each.end, f"{pack}.{each.name}") for each in outputs]
        edges.append(Edge(f"{pack}.object", f"{answer}.data"))
        right += 288
    else:
        edges += [Edge(e.end, f"{answer}.{'text' if e.type == 'text' else 'data'}") for e in outputs]
    nodes.append(NodeUse(answer, ANSWER, kinds[ANSWER].version, x=right))
    return Flow(nodes=nodes, edges=edges, name=name)


def _whole(nodes: dict[str, NodeUse], ids: Sequence[str]) -> list[str]:
    """These with what lies in them, in the order of the document."""
    wanted = {id for id in ids if id in nodes}
    wanted |= {member for id in wanted for member in members_of(nodes[id]) if member in nodes}
    while more := {n.id for n in nodes.values() if n.parent in wanted} - wanted:
        wanted |= more
    return [id for id in nodes if id in wanted]


def _named(edges: list[Edge], nodes: dict[str, NodeUse], kinds: Catalogue, *, by_target: bool) -> list[Outer]:
    """One for each distinct source, called by the port that takes it (inputs) or gives it (outputs)."""
    found: dict[str, Outer] = {}
    used: set[str] = {"input", "object"}
    for edge in edges:
        if edge.source in found:
            continue
        port = _port(nodes[node_of(edge.source)], port_of(edge.source), kinds)
        word = re.sub(r"[^a-z0-9_]+", "_", port_of(edge.target if by_target else edge.source).lower()).strip("_")
        word = base = (word if re.match(r"[a-z]", word) else f"v_{word}")[:32]
        count = 2
        while word in used:
            word, count = f"{base}_{count}", count + 1
        used.add(word)
        found[edge.source] = Outer(word, edge.source, port.type if port else "any")
    return list(found.values())


def _maybe_silent(flow: Flow, kinds: Catalogue) -> set[str]:
    """Ends that may bring nothing in a run that goes well: ways of a choice, errors, and what only they lead to."""
    nodes = {node.id: node for node in flow.nodes}
    loose: set[str] = set()
    after: dict[str, list[Edge]] = {}
    for edge in flow.edges:
        after.setdefault(node_of(edge.source), []).append(edge)
    todo = []
    for node in flow.nodes:
        ports = ports_of(node, kinds)
        branches = {f"{node.id}.{port.name}" for port in ports.outputs if port.branch} if ports is not None else set()
        loose |= branches
        todo += [edge for edge in after.get(node.id, ()) if edge.source in branches]
    seen: set[str] = set()
    while todo:
        id = node_of(todo.pop().target)
        kind = kinds.get(nodes[id].type) if id in nodes else None
        if id in seen or id not in nodes or (kind is not None and kind.join_of is not None):
            continue
        seen.add(id)
        loose |= {edge.source for edge in after.get(id, ())}
        todo += after.get(id, ())
    return loose


def _port(node: NodeUse, name: str, kinds: Catalogue) -> Port | None:
    ports = ports_of(node, kinds)
    return next((port for port in ports.outputs if port.name == name), None) if ports is not None else None


def free_name(word: str, taken: set[str]) -> str:
    name, count = word[:36], 2
    while name in taken:
        name, count = f"{word[:34]}_{count}", count + 1
    taken.add(name)
    return name


def _family(node: NodeUse, kinds: Catalogue) -> str:
    kind = kinds.get(node.type)
    return kind.family if kind is not None else ""


def _title(node: NodeUse, kinds: Catalogue) -> str:
    kind = kinds.get(node.type)
    return node.label or (kind.title if kind is not None else node.type)
