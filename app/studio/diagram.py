"""The small picture of a flow on its card: tiles in columns, in the order in which steps run. Pure.

Sizes are pixels of a 380 x 100 picture (templates/parts/diagram.html draws it as SVG).
"""

from itertools import pairwise

from msgspec import Struct

from app.web.flow_picture import UNKNOWN_ICON
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

WIDTH, HEIGHT, TILE = 380, 100, 28
COLUMNS, ROWS = 6, 3


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
    """Steps inside containers and notes are left out; at most 6 columns of 3 steps are shown.

    A wire that passes a column takes a row of its own there, so that it never runs behind a tile.
    """
    nodes = {node.id: node for node in flow.nodes if not node.parent and not _is_note(node, catalogue)}
    after: dict[str, list[str]] = {id: [] for id in nodes}
    for edge in flow.edges:
        source, target = edge.source.partition(".")[0], edge.target.partition(".")[0]
        if source in nodes and target in nodes and source != target and target not in after[source]:
            after[source].append(target)
    depth = _depths(nodes, after)
    shown = _shown(nodes, depth)
    rows = _rows(nodes, after, depth, shown)
    last = max((depth[id] for id in shown), default=0)
    gap = min(84.0, (WIDTH - 84) / max(1, last))
    left = (WIDTH - gap * last) / 2
    points = {item: (left + column * gap, y) for column, items in rows.items() for item, y in items.items()}
    spots = [_spot(nodes[id], catalogue, *points[id]) for id in sorted(shown, key=lambda id: points[id])]
    wires = [
        _wire([points[a], *(points[_bypass(a, b, at)] for at in range(depth[a] + 1, depth[b])), points[b]])
        for a, ends in after.items()
        for b in ends
        if a in shown and b in shown and depth[b] > depth[a]
    ]
    return Diagram(spots, wires, len(nodes) - len(shown))


def _spot(node: NodeUse, catalogue: Catalogue, x: float, y: float) -> Spot:
    kind = catalogue.get(node.type)
    if kind is None:
        return Spot(x, y, UNKNOWN_ICON, "", node.label or node.type)
    return Spot(x, y, kind.icon, kind.family, node.label or kind.title)


def _is_note(node: NodeUse, catalogue: Catalogue) -> bool:
    kind = catalogue.get(node.type)
    return kind is not None and kind.family == "note"


def _depths(nodes: dict[str, NodeUse], after: dict[str, list[str]]) -> dict[str, int]:
    """Longest way from a start. A loop (an unfinished draft may have one) is cut where it closes."""
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
    return depth


def _shown(nodes: dict[str, NodeUse], depth: dict[str, int]) -> set[str]:
    columns: list[list[str]] = [[] for _ in range(COLUMNS)]
    for id in sorted(nodes, key=lambda id: nodes[id].y):
        if depth[id] < COLUMNS and len(columns[depth[id]]) < ROWS:
            columns[depth[id]].append(id)
    return {id for column in columns for id in column}


def _rows(
    nodes: dict[str, NodeUse], after: dict[str, list[str]], depth: dict[str, int], shown: set[str]
) -> dict[int, dict[str, float]]:
    """Column -> what lies in it (steps, and wires that pass) -> its y. Order: near what leads there, then as drawn."""
    items: dict[int, list[str]] = {}
    before: dict[str, list[str]] = {}
    drawn: dict[str, float] = {}
    for id in shown:
        items.setdefault(depth[id], []).append(id)
        drawn[id] = nodes[id].y
        for end in after[id]:
            if end not in shown or depth[end] <= depth[id]:
                continue
            chain = [id, *(_bypass(id, end, at) for at in range(depth[id] + 1, depth[end])), end]
            for at, (a, b) in enumerate(pairwise(chain), depth[id] + 1):
                before.setdefault(b, []).append(a)
                if b != end:
                    items.setdefault(at, []).append(b)
                    drawn[b] = nodes[id].y
    rows: dict[int, dict[str, float]] = {}
    known: dict[str, float] = {}
    for column in sorted(items):
        wanted = {
            item: sum(known[a] for a in before[item]) / len(before[item]) if before.get(item) else HEIGHT / 2
            for item in items[column]
        }
        ordered = sorted(items[column], key=lambda item: (wanted[item], drawn[item], item))
        rise = min(44.0, (HEIGHT - TILE - 8) / max(1, len(ordered) - 1))
        rows[column] = {item: HEIGHT / 2 + (row - (len(ordered) - 1) / 2) * rise for row, item in enumerate(ordered)}
        known.update(rows[column])
    return rows


def _bypass(source: str, target: str, column: int) -> str:
    return f"{source}>{target}>{column}"


def _wire(points: list[tuple[float, float]]) -> str:
    """Level at both ends of each part; straight past the columns it only passes."""
    (x, y), *rest = points
    path = f"M{x + TILE / 2:g} {y:g}"
    x += TILE / 2
    for at, (to, down) in enumerate(rest):
        ends = at == len(rest) - 1
        into = to - TILE / 2
        bend = (into - x) / 2
        level = abs(down - y) < 1
        path += f"H{into:g}" if level else f"C{x + bend:g} {y:g} {into - bend:g} {down:g} {into:g} {down:g}"
        if not ends:
            path += f"H{to + TILE / 2:g}"
        x, y = to + TILE / 2, down
    return path
