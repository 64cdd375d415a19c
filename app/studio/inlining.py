"""The steps of a flow in the place of the step that runs it: the way back of subflows.py. Pure."""

import msgspec

from app.errors import Refused
from app.studio.forms import EdgeAdd, NodeAdd, NodeDelete, NodeMove, Op
from app.studio.ops import node_of, port_of
from app.studio.service.fragments import members_of
from app.studio.shapes import NARROW, node_view
from app.studio.subflows import COLLECT, READ, START, free_name
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse


def inlined(flow: Flow, call: NodeUse, inner: Flow, kinds: Catalogue, taken: set[str]) -> list[Op]:
    """The operations that put the steps of `inner` where the step that runs it stands. Raises Refused."""
    starts, answers = ends_of(inner, kinds)
    sources: dict[str, list[str]] = {}
    for edge in inner.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    outer, skip = _inputs(flow, call, inner, starts, sources)
    skip |= {node.id for node in (*starts, *answers)}
    results, packing = _results(flow, call, inner, answers, sources)
    skip |= packing
    used = set(taken)
    names = {node.id: free_name(node.id, used) for node in inner.nodes if node.id not in skip}
    ops = _pushed(flow, call, inner, skip, kinds)
    for node in sorted((n for n in inner.nodes if n.id in names), key=lambda n: _depth(inner, n)):
        ops.append(NodeAdd(_placed(node, names, call, inner, skip)))
    readers = {node_of(end) for end in results if node_of(end) != call.id}
    ops += [NodeDelete(id) for id in (*sorted(readers), call.id)]

    def end_outside(end: str) -> str:
        return outer[end] if end in outer else f"{names[node_of(end)]}.{port_of(end)}"

    for edge in inner.edges:
        if node_of(edge.target) not in skip and (end := end_outside(edge.source)):
            ops.append(EdgeAdd(end, f"{names[node_of(edge.target)]}.{port_of(edge.target)}"))
    for edge in flow.edges:
        if (
            edge.source in results
            and node_of(edge.target) not in readers
            and (end := end_outside(results[edge.source]))
        ):
            ops.append(EdgeAdd(end, edge.target))
    return ops


def ends_of(inner: Flow, kinds: Catalogue) -> tuple[list[NodeUse], list[NodeUse]]:
    """Its start and answer steps. Raises Refused when they do more than hand values over."""
    starts = [n for n in inner.nodes if (kind := kinds.get(n.type)) is not None and kind.trigger]
    answers = [n for n in inner.nodes if (kind := kinds.get(n.type)) is not None and kind.result]
    if len(starts) > 1 or any(n.type != START for n in starts):
        raise Refused(
            "This flow starts by itself (a chat, a form, a webhook).", remedy="Only one that an “API call” starts fits."
        )
    if len(answers) > 1 or any(n.settings.get("text") for n in answers):
        raise Refused("This flow has several answers, or writes its answer itself.", remedy="Copy its steps instead.")
    return starts, answers


def _inputs(
    flow: Flow, call: NodeUse, inner: Flow, starts: list[NodeUse], sources: dict[str, list[str]]
) -> tuple[dict[str, str], set[str]]:
    """Inner end -> the outer one that brings its value ("" = nothing does); and steps that only read an input."""
    given = {port_of(e.target): e.source for e in flow.edges if node_of(e.target) == call.id}
    outer: dict[str, str] = {}
    reading: set[str] = set()
    for start in starts:
        whole = f"{start.id}.input"
        for field in start.settings.get("fields", []):
            outer[f"{start.id}.{field['name']}"] = given.get(field["name"], "")
        for node in inner.nodes:
            if node.type == READ and sources.get(f"{node.id}.source") == [whole]:
                outer[f"{node.id}.value"] = given.get(str(node.settings.get("path", "")), "")
                reading.add(node.id)
        if any(e.source == whole and node_of(e.target) not in reading for e in inner.edges):
            raise Refused("This flow uses its whole input at once.", remedy="Copy its steps and wire them.")
    return outer, reading


def _results(
    flow: Flow, call: NodeUse, inner: Flow, answers: list[NodeUse], sources: dict[str, list[str]]
) -> tuple[dict[str, str], set[str]]:
    """Outer end -> the inner one that brings its value; and inner steps that only packed values up."""
    found: dict[str, str] = {}
    dropped: set[str] = set()
    for answer in answers:
        for name in ("text", "data"):
            for end in sources.get(f"{answer.id}.{name}", ()):
                found[f"{call.id}.{name}"] = end
    packed = found.get(f"{call.id}.data", "")
    pack = next((n for n in inner.nodes if n.id == node_of(packed) and n.type == COLLECT), None)
    if pack is None:
        return found, dropped
    parts = {row.get("name"): row.get("value") for row in pack.settings.get("fields", []) if row.get("kind") == "value"}
    readers = {node_of(e.target) for e in flow.edges if e.source == f"{call.id}.data" and port_of(e.target) == "source"}
    paths = {n.id: str(n.settings.get("path", "")) for n in flow.nodes if n.id in readers and n.type == READ}
    users = [e for e in flow.edges if e.source == f"{call.id}.data"]
    if len(paths) != len(users) or any(
        len(sources.get(f"{pack.id}.{parts.get(path)}", ())) != 1 for path in paths.values()
    ):
        return found, dropped
    for reader, path in paths.items():
        found[f"{reader}.value"] = sources[f"{pack.id}.{parts[path]}"][0]
    del found[f"{call.id}.data"]
    return found, {pack.id}


def _pushed(flow: Flow, call: NodeUse, inner: Flow, skip: set[str], kinds: Catalogue) -> list[Op]:
    """What stands to the right of the step makes room for the steps that replace it."""
    tops = [n for n in inner.nodes if n.id not in skip and not n.parent]
    if not tops:
        return []
    left, right = min(n.x for n in tops), max(n.x + (n.w or NARROW) for n in tops)
    wide = node_view(call, kinds).w
    by = max(0.0, right - left - wide)
    return [
        NodeMove(n.id, n.x + by, n.y)
        for n in flow.nodes
        if by and n.parent == call.parent and n.id != call.id and n.x >= call.x + wide
    ]


def _placed(node: NodeUse, names: dict[str, str], call: NodeUse, inner: Flow, skip: set[str]) -> NodeUse:
    settings = node.settings
    if members := members_of(node):
        settings = {**settings, "members": [names[id] for id in members if id in names]}
    if node.parent in names:
        return msgspec.structs.replace(node, id=names[node.id], parent=names[node.parent], settings=settings)
    tops = [n for n in inner.nodes if n.id not in skip and not n.parent]
    left, top = min(n.x for n in tops), min(n.y for n in tops)
    return msgspec.structs.replace(
        node,
        id=names[node.id],
        parent=call.parent,
        settings=settings,
        x=node.x - left + call.x,
        y=node.y - top + call.y,
    )


def _depth(flow: Flow, node: NodeUse) -> int:
    parents = {n.id: n.parent for n in flow.nodes}
    depth, at = 0, node.parent
    while at and depth < len(parents):
        depth, at = depth + 1, parents.get(at, "")
    return depth
