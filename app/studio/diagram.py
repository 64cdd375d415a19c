"""The small picture of a flow on its card: tiles in columns, in the order in which steps run. Pure.

Sizes are pixels of a 380 x 100 picture (templates/parts/diagram.html draws it as SVG).
"""

from msgspec import Struct

from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

WIDTH, HEIGHT, TILE = 380, 100, 28
COLUMNS, ROWS = 6, 3
UNKNOWN_ICON = "circle-question-mark"


class Spot(Struct, frozen=True):
    """One tile; x, y are its middle."""

    x: float
    y: float
    icon: str
    family: str
    title: str


class Diagram(Struct, frozen=True):
    """`wires` are SVG path data. `more`: steps there was no room for. `words` reads the picture out."""

    spots: list[Spot]
    wires: list[str]
    more: int

    @property
    def words(self) -> str:
        if not self.spots:
            return "No steps yet"
        listed = ", ".join(spot.title for spot in self.spots)
        return f"Steps: {listed}" + (f" and {self.more} more" if self.more else "")


def diagram(flow: Flow, catalogue: Catalogue) -> Diagram:
    """Steps inside containers and notes are left out; at most 6 columns of 3 steps are shown."""
    nodes = {node.id: node for node in flow.nodes if not node.parent and not _is_note(node, catalogue)}
    after: dict[str, list[str]] = {id: [] for id in nodes}
    for edge in flow.edges:
        source, target = edge.source.partition(".")[0], edge.target.partition(".")[0]
        if source in nodes and target in nodes and source != target and target not in after[source]:
            after[source].append(target)
    columns = _columns(nodes, after)
    shown = [sorted(column, key=lambda node: node.y)[:ROWS] for column in columns[:COLUMNS]]
    places: dict[str, Spot] = {}
    gap = min(80.0, (WIDTH - 84) / max(1, len(shown) - 1))
    for at, column in enumerate(shown):
        rise = 44 if len(column) < 3 else 33
        for row, node in enumerate(column):
            kind = catalogue.get(node.type)
            places[node.id] = Spot(
                x=42 + at * gap,
                y=HEIGHT / 2 + (row - (len(column) - 1) / 2) * rise,
                icon=kind.icon if kind else UNKNOWN_ICON,
                family=kind.family if kind else "",
                title=node.label or (kind.title if kind else node.type),
            )
    wires = [_wire(places[a], places[b]) for a, ends in after.items() if a in places for b in ends if b in places]
    return Diagram(list(places.values()), wires, len(nodes) - len(places))


def _is_note(node: NodeUse, catalogue: Catalogue) -> bool:
    kind = catalogue.get(node.type)
    return kind is not None and kind.family == "note"


def _columns(nodes: dict[str, NodeUse], after: dict[str, list[str]]) -> list[list[NodeUse]]:
    """Longest way from a start decides the column. A loop (an unfinished draft may have one) is cut where it closes."""
    depth = dict.fromkeys(nodes, 0)
    waiting = dict.fromkeys(nodes, 0)
    for ends in after.values():
        for end in ends:
            waiting[end] += 1
    ready = [id for id, n in waiting.items() if n == 0]
    while ready:
        id = ready.pop()
        for end in after[id]:
            depth[end] = max(depth[end], depth[id] + 1)
            waiting[end] -= 1
            if waiting[end] == 0:
                ready.append(end)
    columns: list[list[NodeUse]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for id, node in nodes.items():
        columns[depth[id]].append(node)
    return [column for column in columns if column]


def _wire(a: Spot, b: Spot) -> str:
    start, end = a.x + TILE / 2, b.x - TILE / 2
    if abs(a.y - b.y) < 1:
        return f"M{start:g} {a.y:g}H{end:g}"
    bend = (end - start) / 2
    return f"M{start:g} {a.y:g}C{start + bend:g} {a.y:g} {end - bend:g} {b.y:g} {end:g} {b.y:g}"
