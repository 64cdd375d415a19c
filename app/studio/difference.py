"""What is different between two states of a flow: steps, settings field by field, wires, the flow itself. Pure.

app/studio/changes.py says the same in one line a step, for the publish panel; here are the values themselves.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.language.sentences import say
from app.studio.changes import FRAME
from app.studio.ops import node_of, port_of
from app.studio.ports import field_title, ports_of
from app.studio.service.fragments import PRIVATE, without_secrets
from app.web.flow_picture import UNKNOWN_ICON
from app.web.worddiff import Piece, pieces
from flows.catalogue import AnyNode, Catalogue
from flows.model import Flow, NodeUse

Kind = Literal["added", "removed", "changed", "moved"]
MOST_COMPARED = 400_000
"""Characters that are compared word by word in one go; texts beyond are shown before and after."""
LONG = 20
"""Characters from which a text is compared word by word; shorter ones are shown before and after."""
NOT_SHOWN = "•••"
FIELDS: tuple[tuple[str, str], ...] = (
    ("label", "Name"),
    ("type", "Kind of step"),
    ("version", "Version of the step"),
    ("disabled", "Switched off"),
    ("parent", "Lies in"),
    ("retry", "Tries"),
    ("on_error", "When it fails"),
    ("default", "Value when it fails"),
    ("timeout", "Time per try"),
    ("keep", "How long results are kept"),
    ("exposed", "On the settings page"),
)
"""What a step has besides its settings, and what people call it. Where it lies on the canvas is `moved`."""


class FieldChange(Struct, frozen=True, omit_defaults=True):
    """One value. A side that has none is left out. `words`: both sides at once, where both are texts.

    `hidden`: it is private and differs; both sides read "•••".
    """

    field: str
    title: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET
    words: list[Piece] = []
    hidden: bool = False

    @property
    def was(self) -> str:
        return written(self.before)

    @property
    def is_now(self) -> str:
        return written(self.after)


class StepChange(Struct, frozen=True, omit_defaults=True):
    """One step. `moved`: it lies elsewhere on the canvas, which changes nothing that runs; alone it makes the kind."""

    kind: Kind
    node: str
    title: str
    type: str
    icon: str
    family: str
    fields: list[FieldChange] = []
    moved: bool = False


class WireChange(Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """`words`: both ends as people call them. "reordered": what comes in at `to` comes in another order."""

    kind: Literal["added", "removed", "reordered"]
    source: str
    target: str
    words: str


class Difference(Struct, frozen=True):
    """Steps in reading order (left to right, top to bottom), wires, and fields of the flow itself."""

    steps: list[StepChange]
    wires: list[WireChange]
    flow: list[FieldChange]

    @property
    def runs_alike(self) -> bool:
        """Nothing that runs is different: at most something was moved on the canvas."""
        return not self.wires and not self.flow and all(step.kind == "moved" for step in self.steps)

    def count(self, kind: str) -> int:
        return sum(step.kind == kind for step in self.steps)


def difference(before: Flow, after: Flow, kinds: Catalogue) -> Difference:
    """Steps are the same when their ids are. Frames around steps are left out: they never run."""
    compared = _Budget()
    old, new = ({node.id: node for node in flow.nodes if node.type != FRAME} for flow in (before, after))
    places = {**_places(old), **_places(new)}
    found = []
    for id in sorted({*old, *new}, key=lambda id: (places[id], id)):
        step = _step(old.get(id), new.get(id), kinds, compared, {**old, **new})
        if step is not None:
            found.append(step)
    return Difference(found, list(_wires(before, after, {**old, **new}, kinds)), list(_whole(before, after, compared)))


class _Budget:
    def __init__(self) -> None:
        self.left = MOST_COMPARED

    def words(self, before: Any, after: Any) -> list[Piece]:
        if not isinstance(before, str) or not isinstance(after, str) or not before or not after:
            return []
        self.left -= len(before) + len(after)
        return pieces(before, after) if self.left > 0 and max(len(before), len(after)) > LONG else []


def _step(
    a: NodeUse | None, b: NodeUse | None, kinds: Catalogue, compared: _Budget, nodes: dict[str, NodeUse]
) -> StepChange | None:
    use = b or a
    if use is None:
        return None
    kind = kinds.get(use.type)
    title = _title(use, kinds)
    common: dict[str, Any] = {
        "node": use.id,
        "title": title,
        "type": use.type,
        "icon": kind.icon if kind else UNKNOWN_ICON,
        "family": kind.family if kind else "",
    }
    if a is None or b is None:
        return StepChange("removed" if b is None else "added", **common, fields=_settings(a, b, kind, kinds, compared))
    fields = [*_own(a, b, compared, nodes, kinds), *_settings(a, b, kind, kinds, compared)]
    moved = (a.x, a.y, a.w, a.h) != (b.x, b.y, b.w, b.h)
    if not fields and not moved:
        return None
    return StepChange("changed" if fields else "moved", **common, fields=fields, moved=moved)


def _own(
    a: NodeUse, b: NodeUse, compared: _Budget, nodes: dict[str, NodeUse], kinds: Catalogue
) -> Iterator[FieldChange]:
    for name, title in FIELDS:
        was, now = (msgspec.to_builtins(getattr(use, name)) for use in (a, b))
        if was != now:
            if name == "parent":
                was, now = (_title(nodes[id], kinds) if id in nodes else id for id in (was, now))
            yield FieldChange(name, title, was, now, compared.words(was, now))


def _settings(
    a: NodeUse | None, b: NodeUse | None, kind: AnyNode | None, kinds: Catalogue, compared: _Budget
) -> list[FieldChange]:
    was, now = (dict(use.settings) if use else {} for use in (a, b))
    shown_was, shown_now = (without_secrets(use, kinds)[0] if use else {} for use in (a, b))
    schema = kind.settings_schema() if kind is not None else {}
    shape = schema.get("$defs", {}).get(str(schema.get("$ref", "")).rpartition("/")[2], schema).get("properties", {})
    order = {name: at for at, name in enumerate(shape)}
    found = []
    for name in sorted({*was, *now}, key=lambda name: (order.get(name, len(order)), name)):
        if was.get(name, UNSET) == now.get(name, UNSET):
            continue
        field, title = f"settings.{name}", field_title(kind, name)
        if shape.get(name, {}).get("x-widget") == "secret":
            one_side, other = (NOT_SHOWN if name in side else UNSET for side in (was, now))
            found.append(FieldChange(field, title, one_side, other, hidden=True))
            continue
        private = shape.get(name, {}).get("x-widget") in PRIVATE  # a connection's name is no secret to its workspace
        one, two = (was, now) if private else (shown_was, shown_now)
        before, after = (_or_default(one, a, name, shape), _or_default(two, b, name, shape))
        hidden = before == after
        found.append(FieldChange(field, title, before, after, compared.words(before, after), hidden=hidden))
    return found


def _or_default(side: dict[str, Any], use: NodeUse | None, name: str, shape: dict[str, Any]) -> Any | UnsetType:
    """A setting nobody touched has its default; a step that is not there has nothing."""
    return side.get(name, shape.get(name, {}).get("default", UNSET) if use is not None else UNSET)


def _wires(before: Flow, after: Flow, nodes: dict[str, NodeUse], kinds: Catalogue) -> Iterator[WireChange]:
    old, new = ([edge.id for edge in flow.edges] for flow in (before, after))
    ends = {edge.id: (edge.source, edge.target) for edge in (*before.edges, *after.edges)}
    gone, come = set(old) - set(new), set(new) - set(old)
    for kind, ids in (("removed", [id for id in old if id in gone]), ("added", [id for id in new if id in come])):
        for id in dict.fromkeys(ids):
            yield WireChange(kind, *ends[id], _both_ends(*ends[id], nodes, kinds))  # type: ignore[arg-type]
    stayed = set(old) & set(new)
    for target in dict.fromkeys(ends[id][1] for id in new if id in stayed):
        one, two = ([id for id in side if id in stayed and ends[id][1] == target] for side in (old, new))
        if one != two:
            words = f"What comes in at {_end(target, nodes, kinds, 'in')} has another order"
            yield WireChange("reordered", ends[two[0]][0], target, words)


def _both_ends(source: str, target: str, nodes: dict[str, NodeUse], kinds: Catalogue) -> str:
    return f"{_end(source, nodes, kinds, 'out')} → {_end(target, nodes, kinds, 'in')}"


def _end(end: str, nodes: dict[str, NodeUse], kinds: Catalogue, side: str) -> str:
    use = nodes.get(node_of(end))
    if use is None:
        return end
    ports = ports_of(use, kinds)
    listed = () if ports is None else ports.outputs if side == "out" else ports.inputs
    port = next((port.title or port.name for port in listed if port.name == port_of(end)), port_of(end))
    return f"{_title(use, kinds)}, {port}"


def _title(use: NodeUse, kinds: Catalogue) -> str:
    kind = kinds.get(use.type)
    return use.label or (say(kind.title) if kind else use.type)


def _whole(before: Flow, after: Flow, compared: _Budget) -> Iterator[FieldChange]:
    for name, title in (("name", "Name"), ("description", "Description"), ("cost_limit", "Cost of a run")):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield FieldChange(name, title, was, now, compared.words(was, now))


def _places(nodes: dict[str, NodeUse]) -> dict[str, tuple[float, float]]:
    """For reading order only: what lies in a container comes right after it."""
    return {
        id: (nodes[use.parent].x + 1, nodes[use.parent].y) if use.parent in nodes else (use.x, use.y)
        for id, use in nodes.items()
    }


def written(value: Any) -> str:
    """A value as it is shown: a text as it is, everything else as JSON; nothing for a side that has none."""
    if value is UNSET or value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False)
