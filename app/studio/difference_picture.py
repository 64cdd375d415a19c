"""Two states of a flow in one picture: what is there now, and where what was removed used to be. Pure.

templates/studio/versions/_picture.html makes the SVG. Every mark is a colour, a sign and a word.
"""

from msgspec import Struct
from msgspec.structs import asdict, replace

from app.studio.changes import FRAME
from app.studio.difference import Difference
from app.studio.ops import node_of
from app.web import flow_picture
from app.web.flow_picture import EDGE, HEIGHT, WIDTH, extent, path, place
from flows.catalogue import Catalogue
from flows.model import Flow


class Box(flow_picture.Box, frozen=True):
    """`mark`: added, removed, changed, moved or "" (as it was)."""

    mark: str


class Line(Struct, frozen=True):
    path: str
    mark: str


class Picture(flow_picture.Drawing, frozen=True):
    boxes: list[Box]
    lines: list[Line]


def picture(before: Flow, after: Flow, found: Difference, kinds: Catalogue) -> Picture:
    """Steps lie where they lie in `after`; those that are only in `before` where they lay there."""
    old, new = ({node.id: node for node in flow.nodes if node.type != FRAME} for flow in (before, after))
    marks = {step.node: step.kind for step in found.steps}
    uses = {**old, **new}
    places = {id: place(use, new if id in new else old) for id, use in uses.items()}
    boxes = []
    for box in flow_picture.boxes(uses, places, kinds):
        mark = marks.get(box.node, "")
        boxes.append(Box(**(asdict(box) | {"words": f"{box.words}: {mark or 'as it was'}"}), mark=mark))
    boxes = _aside(boxes)
    boxes.sort(key=lambda box: (not box.container, box.mark != "removed"))  # containers lie under all, then what went
    by_id = {box.node: box for box in boxes}
    wires = {(wire.source, wire.target): wire.kind for wire in found.wires}
    lines = [
        Line(path(by_id[node_of(source)], by_id[node_of(target)]), wires.get((source, target), ""))
        for source, target in {(edge.source, edge.target): None for edge in (*before.edges, *after.edges)}
        if node_of(source) in by_id and node_of(target) in by_id
    ]
    return Picture(*extent(boxes), boxes, lines)


def _aside(boxes: list[Box]) -> list[Box]:
    """What was removed steps down from under what took its place, so that both are seen."""
    taken = [box for box in boxes if box.mark != "removed" and not box.container]
    shown = [box for box in boxes if box.mark != "removed" or box.container]
    for box in boxes:
        if box.mark == "removed" and not box.container:
            aside = box
            while any(abs(aside.x - other.x) < WIDTH and abs(aside.y - other.y) < HEIGHT for other in taken):
                aside = replace(aside, y=aside.y + HEIGHT + EDGE)
            taken.append(aside)
            shown.append(aside)
    return shown
