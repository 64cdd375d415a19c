"""What publishing would change: the draft beside the live version, in words. Pure."""

from typing import Literal

from msgspec import Struct

from app.studio.ports import field_title
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

FRAME = "note.group"
"""Frames around steps: never run, and whoever folds one has changed nothing."""
Kind = Literal["added", "removed", "changed", "wires"]


class Change(Struct, frozen=True):
    """One line of the publish panel. `node`: where to jump to, "" when it is gone from the draft."""

    kind: Kind
    title: str
    detail: str
    node: str = ""


def changes(live: Flow | None, draft: Flow, catalogue: Catalogue) -> list[Change]:
    """Empty = publishing would change nothing that runs. Moving steps is not a change, nor what a group is like."""
    if live is None:
        return [Change("added", _name(node, catalogue), "New", node.id) for node in draft.nodes]
    before, after = ({n.id: n for n in flow.nodes if n.type != FRAME} for flow in (live, draft))
    found = [Change("added", _name(node, catalogue), "New", id) for id, node in after.items() if id not in before]
    for id, node in after.items():
        if id in before and (detail := _differs(before[id], node, catalogue)):
            found.append(Change("changed", _name(node, catalogue), detail, id))
    found += [Change("removed", _name(node, catalogue), "Removed") for id, node in before.items() if id not in after]
    old, new = {e.id for e in live.edges}, {e.id for e in draft.edges}
    if wires := _wires(len(new - old), len(old - new)):
        found.append(Change("wires", "Wires", wires))
    if live.name != draft.name:
        found.append(Change("changed", "Name", f"{live.name} is now {draft.name}"))
    if live.cost_limit != draft.cost_limit:
        most = "no limit" if draft.cost_limit is None else f"at most ${draft.cost_limit:,.2f}"
        found.append(Change("changed", "Cost of a run", f"{most[:1].upper()}{most[1:]}"))
    return found


def _differs(a: NodeUse, b: NodeUse, catalogue: Catalogue) -> str:
    parts = []
    fields = sorted(key for key in {*a.settings, *b.settings} if a.settings.get(key) != b.settings.get(key))
    if fields:
        names = [field_title(catalogue.get(b.type), field).lower() for field in fields]
        parts.append(", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else ""))
    if a.label != b.label:
        parts.append("name")
    if (a.type, a.version) != (b.type, b.version):
        parts.append("kind of step")
    if (a.retry, a.on_error, a.default, a.timeout) != (b.retry, b.on_error, b.default, b.timeout):
        parts.append("what happens when it fails")
    if a.keep != b.keep:
        parts.append("how long results are kept")
    if a.disabled != b.disabled:
        parts.append("switched off" if b.disabled else "switched on")
    if a.exposed != b.exposed:
        parts.append("settings page")
    if a.parent != b.parent:
        parts.append("moved into or out of a container")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _wires(added: int, removed: int) -> str:
    parts = [f"{n} {word}" for n, word in ((added, "new"), (removed, "removed")) if n]
    return ", ".join(parts)


def _name(node: NodeUse, catalogue: Catalogue) -> str:
    kind = catalogue.get(node.type)
    return node.label or (kind.title if kind is not None else node.type)
