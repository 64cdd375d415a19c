"""Which wires may be drawn, the reason when one may not, and the wires that keep a chain whole when a step goes.

Pure. The browser applies the same rules before it asks, so these words are rarely seen; they are the law all the same.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from app.studio.forms import EdgeAdd, EdgeDelete, NodeConfig, NodeDelete, Op
from app.studio.ops import OpRefused, Workbench, node_of, port_of
from app.studio.ports import ports_of
from flows.catalogue import Catalogue
from flows.coerce import ARTICLE
from flows.model import Edge, Flow, NodeUse
from flows.reading import AFTER_PORT
from flows.sdk.ports import Port, Ports, fits


class Dropped(Struct, frozen=True):
    """An operation that no longer applies, by its place in the batch."""

    index: int
    why: str


class Edited(Struct):
    """What a batch came to. `extra`: operations added by us, after those that were sent."""

    flow: Flow
    done: list[Op]
    inverse: list[Op]
    extra: list[Op]
    dropped: list[Dropped]


def edit(flow: Flow, ops: Sequence[Op], catalogue: Catalogue, *, lenient: bool = True) -> Edited:
    """Apply a batch with the rules of wiring.

    Lenient (an editor's batch): what speaks of something that was deleted meanwhile is left out and named.
    Otherwise, and for every other reason, raises OpRefused: nothing of the batch is done.
    """
    bench = Workbench(flow)
    done: list[Op] = []
    undo: list[list[Op]] = []
    extra: list[Op] = []
    dropped: list[Dropped] = []

    def do(op: Op) -> None:
        undo.append(bench.apply(op))
        done.append(op)

    for index, op in enumerate(ops):
        try:
            if isinstance(op, NodeDelete):
                bridges = chain_around(bench, op.id, catalogue) if op.keep_chain else []
                do(NodeDelete(op.id))
                for bridge in bridges:
                    if may_wire(bench, bridge, catalogue) is None:
                        do(bridge)
                        extra.append(bridge)
                continue
            if isinstance(op, EdgeAdd) and (why := may_wire(bench, op, catalogue)):
                raise OpRefused(why)
            if isinstance(op, NodeConfig) and op.id in bench.nodes:
                before = ports_of(bench.nodes[op.id], catalogue)
                do(op)
                for rewire in follow_renamed_port(before, ports_of(bench.nodes[op.id], catalogue), bench, op.id):
                    do(rewire)
                    extra.append(rewire)
                continue
            do(op)
        except OpRefused as refused:
            if not (lenient and refused.gone):
                refused.index = index
                raise
            dropped.append(Dropped(index, refused.why))
    inverse = [back for each in reversed(undo) for back in each]
    return Edited(bench.flow(), done, inverse, extra, dropped)


def may_wire(bench: Workbench, op: EdgeAdd, catalogue: Catalogue) -> str | None:
    """None, or the sentence that says why not. An end that was deleted is not judged here (ops.py: gone)."""
    source, target = bench.nodes.get(node_of(op.source)), bench.nodes.get(node_of(op.target))
    if source is None or target is None or source is target:
        return None
    out = port(source, "out", port_of(op.source), catalogue)
    into = port(target, "in", port_of(op.target), catalogue)
    if isinstance(out, str) or isinstance(into, str):
        return out if isinstance(out, str) else str(into)
    start = source.id if out.inside else source.parent
    goal = target.id if into.inside else target.parent
    if start != goal and start not in above(bench, goal):
        where = bench.nodes[start]
        return f"This wire would lead out of “{where.label or where.type}”. Wire that step's own output instead."
    if not fits(out.type, into.type):
        needs, has = ARTICLE[into.type], ARTICLE[out.type]
        return f"“{_name(into)}” needs {needs}, this is {has}. Put a step between that converts it."
    if not into.many and any(edge.target == op.target for edge in bench.edges.values()):
        return f"“{_name(into)}” takes one wire and has one already. Remove that one first."
    if not into.inside and not out.inside and _leads_to(bench, target.id, source.id):
        return "These steps would feed each other in a loop. Put the repetition in a “For each” step."
    return None


def port(node: NodeUse, side: str, name: str, catalogue: Catalogue) -> Port | str:
    """The port, or the sentence that says it is not there. A type that is not installed may be wired anywhere."""
    ports = ports_of(node, catalogue)
    if ports is None:
        return Port(name, "any", many=True)
    for each in (*ports.inputs, AFTER_PORT) if side == "in" else ports.outputs:
        if each.name == name:
            return each
    return f"“{node.label or node.type}” has no port “{name}” any more. Its settings changed."


def chain_around(bench: Workbench, id: str, catalogue: Catalogue, wires: Sequence[Edge] | None = None) -> list[EdgeAdd]:
    """The wires that take over for a step: each of its successors gets the first of its sources that fits.

    `wires`: which of its wires are looked at, None = all.
    """
    wires = bench.wires_of(id) if wires is None else wires
    sources = [edge.source for edge in wires if node_of(edge.target) == id]
    bridges = []
    for edge in wires:
        if node_of(edge.source) != id:
            continue
        target = bench.nodes[node_of(edge.target)]
        into = port(target, "in", port_of(edge.target), catalogue)
        for end in sources:
            if node_of(end) == target.id:  # nothing feeds itself: the only step of a loop leaves no wire
                continue
            out = port(bench.nodes[node_of(end)], "out", port_of(end), catalogue)
            if isinstance(out, Port) and isinstance(into, Port) and fits(out.type, into.type):
                bridges.append(EdgeAdd(end, edge.target))
                break
    return bridges


def follow_renamed_port(before: Ports | None, after: Ports | None, bench: Workbench, id: str) -> list[Op]:
    """A changed setting may rename a port (a form's field, an answer's key): its wires go along.

    Only where exactly one port of a side went and one came. In any other case the wires stay where they pointed and
    show up as problems: nothing a person drew is thrown away because of a setting.
    """
    ops: list[Op] = []
    if before is None or after is None:
        return ops
    for old, new, is_out in ((before.outputs, after.outputs, True), (before.inputs, after.inputs, False)):
        gone = {p.name for p in old} - {p.name for p in new}
        come = {p.name for p in new} - {p.name for p in old}
        if len(gone) != 1 or len(come) != 1:
            continue
        was, now = f"{id}.{gone.pop()}", f"{id}.{come.pop()}"
        for edge in bench.wires_of(id):
            if (edge.source if is_out else edge.target) == was:
                at = list(bench.edges).index(edge.id)
                ops.append(EdgeDelete(edge.source, edge.target))
                ops.append(EdgeAdd(now, edge.target, at) if is_out else EdgeAdd(edge.source, now, at))
    return ops


def above(bench: Workbench, level: str) -> list[str]:
    """The levels around a level, innermost first, the flow itself ("") last."""
    found = []
    while level:
        level = bench.nodes[level].parent
        found.append(level)
    return found


def _leads_to(bench: Workbench, start: str, end: str) -> bool:
    """Whether data from `start`, wired to from `end`, would come back to `end`."""
    return end in reached(onward(bench), waiting(bench, end, start))


def onward(bench: Workbench) -> dict[str, set[str]]:
    """Step -> what gets its data. What enters a container keeps the container waiting, too.

    The way back into a container's own inner port is no loop: that is how it collects its rounds.
    """
    after: dict[str, set[str]] = {}
    for edge in bench.edges.values():
        source, target = node_of(edge.source), node_of(edge.target)
        if target != bench.nodes[source].parent:
            after.setdefault(source, set()).update(waiting(bench, source, target))
    return after


def reached(after: dict[str, set[str]], starts: Iterable[str]) -> set[str]:
    """The starts and everything behind them."""
    stack, seen = list(starts), set[str]()
    while stack:
        at = stack.pop()
        if at not in seen:
            seen.add(at)
            stack.extend(after.get(at, ()))
    return seen


def waiting(bench: Workbench, source: str, target: str) -> set[str]:
    """The step a wire leads to, and the containers around it that do not lie around the source."""
    around = {source, *above(bench, source)}
    return {target, *(level for level in above(bench, target) if level and level not in around)}


def _name(port: Port) -> str:
    return port.title or port.name
