"""What a proposal changes: step by step in words, and as a picture of the canvas. Pure."""

from typing import Any

import msgspec

from app.drafting.shapes import SIGNS, CardDrawn, FieldChange, Mark, Picture, Proposed, StepChange, WireDrawn
from app.studio import queries as studio
from app.studio.service.proposals import NodeView, field_title
from app.web.worddiff import pieces
from flows import catalogue
from flows.catalogue import AnyNode
from flows.model import Edge, Flow, NodeUse

EDGE = 40.0
"""Pixels around the picture."""
_PLACE = {"x", "y", "w", "h"}
_WORDS = {
    "label": "Name",
    "on_error": "When it fails",
    "retry": "Tries",
    "parent": "Lies in",
    "disabled": "Switched off",
}


def proposed(before: Flow, after: Flow) -> Proposed:
    """Everything that would change. Moving a step is no change."""
    old, new = ({node.id: node for node in flow.nodes} for flow in (before, after))
    marks: dict[str, Mark] = {id: "added" for id in new if id not in old}
    marks |= {id: "changed" for id in new if id in old and fields_of(old[id], new[id])}
    marks |= {id: "removed" for id in old if id not in new}
    order = [*new, *(id for id in old if id not in new)]
    steps = [_step(marks[id], old.get(id), new.get(id)) for id in order if id in marks]
    was, now = {edge.id for edge in before.edges}, {edge.id for edge in after.edges}
    counts = [f"{n} {word}" for n, word in ((len(now - was), "new"), (len(was - now), "removed")) if n]
    return Proposed(steps, ", ".join(counts), picture(before, after, marks))


def fields_of(old: NodeUse, new: NodeUse) -> list[FieldChange]:
    """Settings and policies that differ."""
    kind = catalogue.load().get(new.type)
    found = [
        _field(field_title(kind, name), old.settings.get(name), new.settings.get(name))
        for name in sorted({*old.settings, *new.settings})
        if old.settings.get(name) != new.settings.get(name)
    ]
    for name in NodeUse.__struct_fields__:
        if name in _PLACE | {"id", "type", "settings", "version"} or getattr(old, name) == getattr(new, name):
            continue
        found.append(
            _field(_WORDS.get(name, name.capitalize()), *(msgspec.to_builtins(getattr(n, name)) for n in (old, new)))
        )
    return found


def _field(title: str, before: Any, after: Any) -> FieldChange:
    texts = shown(before), shown(after)
    both = isinstance(before, str) and isinstance(after, str) and before and after
    return FieldChange(title, *texts, pieces(*texts) if both else [])


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _step(mark: Mark, old: NodeUse | None, new: NodeUse | None) -> StepChange:
    use = new or old
    assert use is not None  # noqa: S101 -- a marked step is in one of the two
    kind = catalogue.load().get(use.type)
    fields: list[FieldChange] = []
    if new is not None:
        fields = fields_of(old or NodeUse(use.id, use.type, label=use.label, parent=use.parent), new)
    title = use.label or (kind.title if kind else use.type)
    shape = (kind.title, kind.icon, kind.family) if kind else (use.type, "circle-question-mark", "")
    return StepChange(use.id, mark, title, *shape, fields=fields, watch=_watch(old, new, kind))


def _watch(old: NodeUse | None, new: NodeUse | None, kind: AnyNode | None) -> str:
    """What could do harm if nobody looked: addresses that are called, and code."""
    if new is None or kind is None:
        return ""
    was = old.settings if old is not None else {}
    if "http" in kind.needs and new.settings.get("url") and was.get("url") != new.settings.get("url"):
        return f"Sends data to {str(new.settings['url'])[:200]}"
    if kind.sources is not None and new.settings != was:
        return "Runs code that the model wrote"
    return ""


def picture(before: Flow, after: Flow, marks: dict[str, Mark]) -> Picture:
    """The flow as it would be, with what goes still in it."""
    gone = [node for node in before.nodes if marks.get(node.id) == "removed"]
    there = {edge.id for edge in after.edges}
    lost = [edge for edge in before.edges if edge.id not in there]
    whole = Flow(nodes=[*after.nodes, *gone], edges=[*after.edges, *lost])
    views = {view.id: view for view in studio.views(whole, [])}
    known = {edge.id for edge in before.edges}
    at = {id: _absolute(id, views) for id in views}
    cards = [
        CardDrawn(
            view.id,
            *at[view.id],
            view.w,
            view.h,
            view.title,
            view.kind,
            view.family,
            marks.get(view.id, ""),
            SIGNS.get(marks.get(view.id, ""), ""),
            view.container,
        )
        for view in views.values()
        if not view.note
    ]
    wires = [_wire(edge, views, at, "added" if edge.id not in known else "") for edge in after.edges]
    wires += [_wire(edge, views, at, "removed") for edge in lost]
    left, top = (min((getattr(card, axis) for card in cards), default=0.0) - EDGE for axis in ("x", "y"))
    right = max((card.x + card.w for card in cards), default=400.0) + EDGE
    low = max((card.y + card.h for card in cards), default=200.0) + EDGE
    words = "; ".join(f"{card.title}: {card.mark}" for card in cards if card.mark) or "No step changes"
    return Picture(cards, [wire for wire in wires if wire.path], (left, top, right - left, low - top), words)


def _absolute(id: str, views: dict[str, NodeView]) -> tuple[float, float]:
    x = y = 0.0
    seen: set[str] = set()
    while id in views and id not in seen:
        seen.add(id)
        x, y, id = x + views[id].x, y + views[id].y, views[id].parent
    return x, y


def _wire(edge: Edge, views: dict[str, NodeView], at: dict[str, tuple[float, float]], mark: str) -> WireDrawn:
    a, b = _end(edge.source, views, at, "out"), _end(edge.target, views, at, "in")
    if a is None or b is None:
        return WireDrawn("", mark)
    bend = max(40.0, abs(b[0] - a[0]) / 2)
    path = f"M{a[0]:g} {a[1]:g}C{a[0] + bend:g} {a[1]:g} {b[0] - bend:g} {b[1]:g} {b[0]:g} {b[1]:g}"
    return WireDrawn(path, mark)


def _end(
    end: str, views: dict[str, NodeView], at: dict[str, tuple[float, float]], side: str
) -> tuple[float, float] | None:
    """Where a wire meets a card: at its port, else at the middle of the side."""
    id, _, name = end.partition(".")
    view = views.get(id)
    if view is None:
        return None
    x, y = at[id]
    for edge, ports in ((0.0, view.left), (view.w, view.right)):
        for port in ports:
            if port.side == side and port.name == name:
                return x + edge, y + port.y
    return (x + view.w if side == "out" else x), y + view.h / 2
