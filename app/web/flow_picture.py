"""Where the boxes and wires of a flow lie when it is drawn as a small picture: for runs, versions and links. Pure.

Box from the document alone, so that any version can be shown, also one with steps whose component is not installed.
"""

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from app.language.sentences import say
from flows.catalogue import Catalogue
from flows.model import NodeUse

WIDTH, HEIGHT, HEAD = 208, 56, 44
"""Pixels of a box at zoom 1, and of a container's head."""
EDGE = 24
ROOM = 800
"""Pixels the picture may be wide before it is made smaller, down to LEAST."""
LEAST = 0.8
TITLE = 22
"""Characters of a title that fit."""


UNKNOWN_ICON = "circle-question-mark"


class Box(Struct, frozen=True):
    """One step. `words` is read out; from `boxes` they are its whole title. x, y: from the drawing's upper left."""

    node: str
    title: str
    icon: str
    family: str
    words: str
    x: float
    y: float
    w: float
    h: float
    container: bool


class Drawing(Struct, frozen=True):
    """`width`, `height`: of the drawing; `shown_width`, `shown_height`: on the screen."""

    width: float
    height: float
    shown_width: float
    shown_height: float


Place = tuple[float, float]


def boxes(uses: Mapping[str, NodeUse], places: Mapping[str, Place], kinds: Catalogue) -> Iterator[Box]:
    """The steps `uses`, in their order, each where `places` says (see `place`), the whole moved to the edge."""
    left = min((x for x, _ in places.values()), default=0) - EDGE
    top = min((y for _, y in places.values()), default=0) - EDGE
    for id, use in uses.items():
        kind = kinds.get(use.type)
        (x, y), (w, h, container) = places[id], size(use, kinds)
        title = use.label or (say(kind.title) if kind else use.type)
        icon, family = (kind.icon, kind.family) if kind else (UNKNOWN_ICON, "")
        yield Box(id, short(title), icon, family, title, x - left, y - top, w, h, container)


def extent(boxes: Collection[Box]) -> tuple[float, float, int, int]:
    """What a Drawing of these boxes has: width, height, and both as shown."""
    width = max((box.x + box.w for box in boxes), default=200) + EDGE
    height = max((box.y + box.h for box in boxes), default=80) + EDGE
    shown = scale(width)
    return width, height, round(width * shown), round(height * shown)


def place(use: NodeUse, uses: Mapping[str, NodeUse]) -> Place:
    """Where a step lies in the whole drawing: positions in a document are relative to the container."""
    x, y, seen = use.x, use.y, {use.id}
    while use.parent and use.parent in uses and use.parent not in seen:
        use = uses[use.parent]
        seen.add(use.id)
        x, y = x + use.x, y + use.y
    return x, y


def size(use: NodeUse, kinds: Catalogue) -> tuple[float, float, bool]:
    """(width, height, whether it is a container)."""
    kind = kinds.get(use.type)
    if kind is not None and kind.container:
        return use.w or 320, use.h or 200, True
    return WIDTH, HEIGHT, False


def scale(width: float) -> float:
    return max(LEAST, min(1.0, ROOM / width))


def inside(box: Box, container: Box) -> bool:
    return container.x <= box.x <= container.x + container.w and container.y <= box.y <= container.y + container.h


def path(a: Box, b: Box) -> str:
    """A wire as SVG path data, level at both ends. Wires of a container's own inner ports start and end at its inner
    edges.
    """
    into, out = a.container and inside(b, a), b.container and inside(a, b)
    x1, y1 = (a.x, a.y + HEAD + 12) if into else (a.x + a.w, a.y + (HEAD / 2 if a.container else a.h / 2))
    x2, y2 = (b.x + b.w, b.y + HEAD + 12) if out else (b.x, b.y + (HEAD / 2 if b.container else b.h / 2))
    bend = max(28, min(120, abs(x2 - x1) / 2))
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def short(title: str) -> str:
    return title if len(title) <= TITLE else title[: TITLE - 1].rstrip() + "…"
