"""The wires of one step as a person reads them in a list: what each input gets, where each output goes, what it could.

Pure. What may be chosen here is what `wiring.may_wire` allows; that function has the last word when the form comes.
"""

from collections.abc import Iterator

from msgspec import Struct

from app.studio.ops import Workbench, node_of, port_of
from app.studio.wiring import above, onward, reached, waiting
from app.studio.wiring import port as port_at
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse
from flows.reading import AFTER_PORT
from flows.sdk.ports import Port, Ports, fits

MOST_CHOICES = 300
"""Ends in one list. Nobody reads more; the canvas has a search."""


class End(Struct, frozen=True):
    """One end of a wire: `value` is "step.port", `words` are "Find the order, items"."""

    value: str
    words: str
    type: str


class PortLine(Struct, frozen=True):
    """One port of the step: what it is wired to, and what else it could be wired to.

    `single`: an input that takes one wire; choosing another one replaces it.
    """

    name: str
    label: str
    type: str
    required: bool
    single: bool
    wired: tuple[End, ...]
    choices: tuple[End, ...]


class Ends(Struct, frozen=True):
    inputs: tuple[PortLine, ...]
    outputs: tuple[PortLine, ...]


def ends_of(flow: Flow, node_id: str, kinds: Catalogue, ports: dict[str, Ports | None], titles: dict[str, str]) -> Ends:
    """The two sides of a step. `ports`: of every step, None = its type is not installed; `titles`: how each is called.

    A step whose type is not installed shows the ports its wires use.
    """
    bench = Workbench(flow)
    use = bench.nodes[node_id]
    loops = _Loops(bench, node_id)
    mine = ports[node_id] or _by_wires(bench, node_id)

    def end(value: str, side: str) -> End:
        there = port_at(bench.nodes[node_of(value)], side, port_of(value), kinds)
        label, type = (there.title or there.name, there.type) if isinstance(there, Port) else (port_of(value), "any")
        return End(value, f"{titles[node_of(value)]}, {label}", type)

    def others(outputs: bool) -> Iterator[tuple[NodeUse, Port]]:
        for other in bench.nodes.values():
            if other.id != node_id:
                there = ports[other.id]
                for port in () if there is None else (there.outputs if outputs else (*there.inputs, AFTER_PORT)):
                    yield other, port

    def line(port: Port, side: str) -> PortLine:
        here = f"{node_id}.{port.name}"
        incoming = side == "in"
        edges = [edge for edge in bench.edges.values() if (edge.target if incoming else edge.source) == here]
        wired = tuple(end(e.source, "out") if incoming else end(e.target, "in") for e in edges)
        taken = {each.value for each in wired}
        choices = []
        for other, there in others(outputs=incoming):
            value = f"{other.id}.{there.name}"
            source, target = ((other, there), (use, port)) if incoming else ((use, port), (other, there))
            if value in taken or not fits(source[1].type, target[1].type):
                continue
            if not _in_sight(bench, source, target) or (not incoming and _full(bench, value, there)):
                continue
            if not (there.inside or port.inside) and loops.closes(other.id, incoming=incoming):
                continue
            choices.append(End(value, f"{titles[other.id]}, {there.title or there.name}", there.type))
            if len(choices) == MOST_CHOICES:
                break
        single = incoming and not port.many
        return PortLine(port.name, port.title or port.name, port.type, port.required, single, wired, tuple(choices))

    return Ends(
        tuple(line(port, "in") for port in (*mine.inputs, AFTER_PORT)),
        tuple(line(port, "out") for port in mine.outputs),
    )


def _in_sight(bench: Workbench, source: tuple[NodeUse, Port], target: tuple[NodeUse, Port]) -> bool:
    """A wire stays on its level or leads into a container, never out of one."""
    start = source[0].id if source[1].inside else source[0].parent
    goal = target[0].id if target[1].inside else target[0].parent
    return start == goal or start in above(bench, goal)


def _full(bench: Workbench, end: str, port: Port) -> bool:
    return not port.many and any(edge.target == end for edge in bench.edges.values())


class _Loops:
    """Which wires of one step would close a loop; the graph is walked once for all of them."""

    def __init__(self, bench: Workbench, node_id: str) -> None:
        after = onward(bench)
        self.bench, self.node = bench, node_id
        self.behind = {start: reached(after, [start]) for start in (node_id, *above(bench, node_id)) if start}
        before: dict[str, set[str]] = {}
        for source, targets in after.items():
            for target in targets:
                before.setdefault(target, set()).add(source)
        self.before = reached(before, [node_id])

    def closes(self, other: str, *, incoming: bool) -> bool:
        """Whether a wire from `other` to the step (`incoming`), or from the step to it, would lead back."""
        if incoming:
            return any(other in self.behind[start] for start in waiting(self.bench, other, self.node))
        return any(start in self.before for start in waiting(self.bench, self.node, other))


def _by_wires(bench: Workbench, node_id: str) -> Ports:
    wires = bench.wires_of(node_id)
    into = dict.fromkeys(port_of(edge.target) for edge in wires if node_of(edge.target) == node_id)
    out = dict.fromkeys(port_of(edge.source) for edge in wires if node_of(edge.source) == node_id)
    return Ports(tuple(Port(name, many=True) for name in into), tuple(Port(name) for name in out))
