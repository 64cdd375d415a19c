"""Parts of a draft that can run by themselves. Pure."""

import msgspec

from app.studio.ops import node_of
from flows.model import Flow, NodeUse


def upto(flow: Flow, step: str) -> Flow:
    """The flow as far as this step: it, all that its wires need, and the containers it lies in; nothing after it.

    A container that is needed is needed whole; one the step lies in holds only what leads to the step.
    """
    nodes = {node.id: node for node in flow.nodes}
    around = set(_around(nodes, step))
    into: dict[str, set[str]] = {}
    for edge in flow.edges:
        source, target = node_of(edge.source), node_of(edge.target)
        if source in nodes and nodes[source].parent != target:  # a round handing over its result is no need
            into.setdefault(target, set()).add(source)
    whole: set[str] = set()
    todo, needed = [step], set[str]()
    while todo:
        at = todo.pop()
        if at in needed or at not in nodes:
            continue
        needed.add(at)
        todo += [*into.get(at, ()), *_around(nodes, at)]
        if at not in around:
            whole.add(at)
    kept = needed | {id for id in nodes if whole & set(_around(nodes, id))}
    missing = {node_of(e.source) for e in flow.edges if node_of(e.target) in kept - needed} & nodes.keys() - kept
    for id in missing:  # what a whole container takes from outside
        kept |= {node.id for node in upto(flow, id).nodes}
    return part(flow, kept)


def part(flow: Flow, kept: set[str]) -> Flow:
    """These steps with the wires among them."""
    return msgspec.structs.replace(
        flow,
        nodes=[node for node in flow.nodes if node.id in kept],
        edges=[edge for edge in flow.edges if node_of(edge.source) in kept and node_of(edge.target) in kept],
    )


def _around(nodes: dict[str, NodeUse], id: str) -> list[str]:
    """The containers a step lies in, innermost first."""
    found: list[str] = []
    while id in nodes and (id := nodes[id].parent) and id not in found:
        found.append(id)
    return found
