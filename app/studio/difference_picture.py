"""Two states of a flow in one picture: what is there now, and where what was removed used to be. Pure.

templates/studio/versions/_picture.html makes the SVG. Every mark is a colour, a sign and a word.
"""

import msgspec
from msgspec import Struct

from app.studio.changes import FRAME
from app.studio.difference import Difference
from app.studio.ops import node_of
from app.studio.shapes import UNKNOWN_ICON
from app.web.flow_picture import EDGE, HEIGHT, WIDTH, path, place, scale, short, size
from flows.catalogue import Catalogue
from flows.model import Flow


class Box(Struct, frozen=True):
    """One step. `mark`: added, removed, changed, moved or "" (as it was). `words` is read out."""

    node: str
    title: str
    icon: str
    family: str
    mark: str
    words: str
    x: float
    y: float
    w: float
    h: float
    container: bool


class Line(Struct, frozen=True):
    path: str
    mark: str


class Picture(Struct, frozen=True):
    """`width`, `height`: of the drawing; `shown_width`, `shown_height`: on the screen."""

    boxes: list[Box]
    lines: list[Line]
    width: float
    height: float
    shown_width: float
    shown_height: float


def picture(before: Flow, after: Flow, found: Difference, kinds: Catalogue) -> Picture:
    """Steps lie where they lie in `after`; those that are only in `before` where they lay there."""
    old, new = ({node.id: node for node in flow.nodes if node.type != FRAME} for flow in (before, after))
    marks = {step.node: step.kind for step in found.steps}
    places = {id: place(use, new if id in new else old) for id, use in {**old, **new}.items()}
    left = min((x for x, _ in places.values()), default=0) - EDGE
    top = min((y for _, y in places.values()), default=0) - EDGE
    boxes = []
    for id, use in {**old, **new}.items():
        kind = kinds.get(use.type)
        (x, y), (w, h, container) = places[id], size(use, kinds)
        title, mark = use.label or (kind.title if kind else use.type), marks.get(id, "")
        icon, family = (kind.icon, kind.family) if kind else (UNKNOWN_ICON, "")
        words = f"{title}: {mark or 'as it was'}"
        boxes.append(Box(id, short(title), icon, family, mark, words, x - left, y - top, w, h, container))
    boxes = _aside(boxes)
    boxes.sort(key=lambda box: (not box.container, box.mark != "removed"))  # containers lie under all, then what went
    by_id = {box.node: box for box in boxes}
    wires = {(wire.source, wire.target): wire.kind for wire in found.wires}
    lines = [
        Line(path(by_id[node_of(source)], by_id[node_of(target)]), wires.get((source, target), ""))
        for source, target in {(edge.source, edge.target): None for edge in (*before.edges, *after.edges)}
        if node_of(source) in by_id and node_of(target) in by_id
    ]
    width = max((box.x + box.w for box in boxes), default=200) + EDGE
    height = max((box.y + box.h for box in boxes), default=80) + EDGE
    shown = scale(width)
    return Picture(boxes, lines, width, height, round(width * shown), round(height * shown))


def _aside(boxes: list[Box]) -> list[Box]:
    """What was removed steps down from under what took its place, so that both are seen."""
    taken = [box for box in boxes if box.mark != "removed" and not box.container]
    shown = [box for box in boxes if box.mark != "removed" or box.container]
    for box in boxes:
        if box.mark == "removed" and not box.container:
            aside = box
            while any(abs(aside.x - other.x) < WIDTH and abs(aside.y - other.y) < HEIGHT for other in taken):
                aside = msgspec.structs.replace(aside, y=aside.y + HEIGHT + EDGE)
            taken.append(aside)
            shown.append(aside)
    return shown
