"""How a step looks on the canvas: its card's size and where its ports are, in canvas pixels at zoom 1 (DESIGN 7).

The browser never measures: sizes come from here, and the style sheet draws exactly these sizes.
"""

import math
import textwrap
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.language.sentences import say
from app.studio.card_conditions import conditions_of
from app.studio.ports import ports_of, settings_of
from app.web.flow_picture import UNKNOWN_ICON
from flows.catalogue import AnyNode, Catalogue
from flows.keeping import why_not_kept
from flows.model import NodeUse
from flows.sdk.ports import Port, Ports

HEAD, ROW, FOOT, LINE = 40, 24, 28, 16
CONTAINER_HEAD = 44
NARROW, WIDE = 208, 256
CONTAINER = (480, 240)
NOTE_WIDTH = 200
GROUP = (320, 200)
FOLDED = (208, 64)
"""A folded group: its title and how many steps it holds (static/src/canvas/groups.js knows it, too)."""
MOST_LINES = 3
CHAR = 6.1
"""Mean width of a letter of 12 px Inter; a line that comes out longer is cut with an ellipsis, never grows the card."""

LETTERS = {
    "text": "T",
    "number": "N",
    "yesno": "Y",
    "object": "O",
    "list": "L",
    "file": "F",
    "image": "I",
    "audio": "S",
    "document": "D",
    "message": "M",
    "any": "A",
}


class PortView(Struct, frozen=True):
    """`y`: the middle of the port below the card's upper edge. `flags`: r required, m many, b branch, i inside."""

    side: Literal["in", "out"]
    name: str
    type: str
    label: str
    y: float
    flags: str
    letter: str


class GroupView(Struct, frozen=True):
    """What a group is besides its frame. `full`: its size when it is not folded."""

    folded: bool
    members: tuple[str, ...]
    full: tuple[float, float]

    @property
    def listed(self) -> str:
        """For data-members."""
        return msgspec.json.encode(self.members).decode()


class NodeView(Struct, frozen=True):
    """One step as templates/studio/_node.html shows it. `keeps`: its results may be kept for a while."""

    id: str
    type: str
    title: str
    kind: str
    family: str
    icon: str
    summary: str
    lines: int
    x: float
    y: float
    w: float
    h: float
    parent: str
    left: tuple[PortView, ...]
    right: tuple[PortView, ...]
    container: bool = False
    note: bool = False
    known: bool = True
    disabled: bool = False
    problem: str = ""
    colour: str = ""
    keeps: bool = False
    group: "GroupView | None" = None

    @property
    def sizable(self) -> bool:
        return self.container or self.note

    @property
    def ports(self) -> str:
        """For data-ports: [[side, name, type, label, y, flags], …]."""
        rows = [(p.side, p.name, p.type, p.label, p.y, p.flags) for p in (*self.left, *self.right)]
        return msgspec.json.encode(rows).decode()


def node_view(use: NodeUse, catalogue: Catalogue, wired: Iterable[str] = (), problem: str = "") -> NodeView:
    """`wired`: ends "node.port" of this step's wires, so that an unknown type still shows the ports its wires need."""
    kind = catalogue.get(use.type)
    if kind is None:
        return _unknown(use, wired)
    settings = settings_of(use, kind)
    ports = ports_of(use, catalogue) or Ports()
    title = use.label or say(kind.title)
    common: dict[str, Any] = {
        "id": use.id,
        "type": use.type,
        "title": title,
        "kind": say(kind.title),
        "family": kind.family,
        "icon": kind.icon,
        "x": use.x,
        "y": use.y,
        "parent": use.parent,
        "disabled": use.disabled,
        "problem": problem,
    }
    if kind.name == "note.group" and settings is not None:
        return _group(use, settings, common)
    if kind.family == "note":
        text = str(use.settings.get("text", ""))
        w = use.w or NOTE_WIDTH
        lines = sum(max(1, math.ceil(len(line) * CHAR / (w - 24))) for line in text.splitlines() or [""])
        h = use.h or min(480, max(72, 28 + 18 * lines))
        colour = getattr(settings, "colour", "")
        return NodeView(**common, summary=text, lines=lines, w=w, h=h, left=(), right=(), note=True, colour=colour)
    summary = _summary(kind, settings)
    if kind.container:
        w, h = use.w or CONTAINER[0], use.h or CONTAINER[1]
        left = [p for p in ports.inputs if not p.inside], [p for p in ports.outputs if p.inside]
        right = [p for p in ports.inputs if p.inside], [p for p in ports.outputs if not p.inside]
        first = CONTAINER_HEAD + 12
        return NodeView(
            **common,
            summary=summary,
            lines=1,
            w=w,
            h=max(h, first + ROW * max(len(left[0]) + len(left[1]), len(right[0]) + len(right[1])) + FOOT),
            left=_column(*left, first),
            right=_column(*right, first),
            container=True,
        )
    w = use.w or (WIDE if "llm" in kind.needs else NARROW)
    lines = MOST_LINES if "llm" in kind.needs else _lines(summary, w)
    first = HEAD + (LINE * lines + 8 if lines else 0)
    rows = max(len(ports.inputs), len(ports.outputs))
    return NodeView(
        **common,
        summary=summary,
        lines=lines,
        w=w,
        h=first + ROW * rows + (4 if rows else 0) + FOOT,
        left=_column(ports.inputs, (), first),
        right=_column((), ports.outputs, first),
        keeps=not why_not_kept(kind, settings),
    )


def _group(use: NodeUse, settings: Any, common: dict[str, Any]) -> NodeView:
    full = (use.w or GROUP[0], use.h or GROUP[1])
    view = GroupView(settings.folded, tuple(settings.members), full)
    w, h = FOLDED if view.folded else full
    n = len(view.members)
    return NodeView(
        **common,
        summary=f"{n} {'step' if n == 1 else 'steps'}",
        lines=0,
        w=w,
        h=h,
        left=(),
        right=(),
        note=True,
        colour=settings.colour,
        group=view,
    )


def _summary(kind: AnyNode, settings: Any) -> str:
    if words := conditions_of(settings):
        return words
    try:
        return kind.summary(settings)
    except Exception:  # a package's own code: a broken summary must not take the page with it
        return ""


@lru_cache(maxsize=8192)
def _lines(text: str, width: float) -> int:
    per_line = max(8, int((width - 24) / CHAR))
    wrapped = [line for part in text.splitlines() for line in (textwrap.wrap(part, per_line) or [""])]
    return min(MOST_LINES, len(wrapped))


def _column(inputs: Iterable[Port], outputs: Iterable[Port], first: float) -> tuple[PortView, ...]:
    ends: list[tuple[Literal["in", "out"], Port]] = [("in", p) for p in inputs]
    ends += [("out", p) for p in outputs]
    return tuple(
        PortView(
            side,
            p.name,
            p.type,
            p.title or p.name,
            first + ROW * row + ROW / 2,
            "".join(flag for flag, on in (("r", p.required), ("m", p.many), ("b", p.branch), ("i", p.inside)) if on),
            LETTERS[p.type],
        )
        for row, (side, p) in enumerate(ends)
    )


def _unknown(use: NodeUse, wired: Iterable[str]) -> NodeView:
    """A step whose package is missing: it keeps its place, its data and its wires."""
    ins: list[Port] = []
    outs: list[Port] = []
    for end in wired:
        side, _, name = end.partition(":")
        (ins if side == "in" else outs).append(Port(name, "any", name, required=False))
    first = HEAD + 2 * LINE + 8
    return NodeView(
        id=use.id,
        type=use.type,
        title=use.label or use.type,
        kind="Unknown step",
        family="data",
        icon=UNKNOWN_ICON,
        summary=f"Needs package {use.type.rpartition('.')[0] or use.type}",
        lines=2,
        x=use.x,
        y=use.y,
        w=use.w or NARROW,
        h=first + ROW * max(len(ins), len(outs)) + 4 + FOOT,
        parent=use.parent,
        left=_column(ins, (), first),
        right=_column((), outs, first),
        known=False,
        disabled=use.disabled,
    )
