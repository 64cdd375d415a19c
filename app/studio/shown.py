"""A flow for who may only look: its steps in the order they run, each with its settings as text. Pure.

What belongs to the owner's workspace is not in the document any more (giving.py): it is named, with nothing behind it.
"""

from msgspec import Struct

from app.language.sentences import say
from app.studio.changes import FRAME
from app.studio.difference import written
from app.studio.giving import Given, Todo
from app.studio.outline.rows import outline
from app.studio.sentences import said
from app.studio.settings_form import Field, form_of
from flows.catalogue import AnyNode, Catalogue
from flows.model import NodeUse

KEPT = {
    "secret": "A secret of its owner",
    "connection": "A connection of its owner",
    "flow": "Another flow of its owner",
    "file": "A file of its owner",
    "model": "A model of its owner",
    "keys": "Keys of its owner",
    "component": "Settings of a component that is not installed here",
}
"""What is left out, by `Todo.kind`."""
THEN = {
    "default": "goes on with a fixed value",
    "wire": "goes along the error wire",
    "continue": "goes on without it",
}
"""What a step that fails does, where it is not the usual (stop the run)."""


class Setting(Struct, frozen=True):
    """`kept`: what stood here and is not shown, "" = nothing is left out. `usual`: nobody touched it."""

    title: str
    words: str
    kept: str = ""
    usual: bool = False


class ShownStep(Struct, frozen=True):
    """One step. `depth`: how many containers it lies in. `takes`: where its values come from, in words."""

    node: str
    title: str
    kind: str
    icon: str
    family: str
    depth: int
    takes: list[str]
    settings: list[Setting]


def steps_of(safe: Given, kinds: Catalogue) -> list[ShownStep]:
    """The steps, then the notes, which lie beside them on the canvas."""
    uses = {use.id: use for use in safe.flow.nodes}
    left: dict[str, list[Todo]] = {}
    for each in safe.todo:
        left.setdefault(each.node, []).append(each)
    found = [
        ShownStep(
            row.id, row.title, row.kind, row.icon, row.family, row.depth, [source.words for source in row.sources],
            _settings(uses[row.id], kinds, left.get(row.id, [])),
        )
        for row in outline(safe.flow, [])
    ]  # fmt: skip
    notes = [use for use in safe.flow.nodes if use.type != FRAME and _family(use, kinds) == "note"]
    return [*found, *(_note(use, kinds[use.type]) for use in notes)]


def _note(use: NodeUse, kind: AnyNode) -> ShownStep:
    text = written(use.settings.get("text", ""))
    said = [Setting("Text", text)] if text else []
    return ShownStep(use.id, use.label or say(kind.title), say(kind.title), kind.icon, "note", 0, [], said)


def _family(use: NodeUse, kinds: Catalogue) -> str:
    kind = kinds.get(use.type)
    return kind.family if kind is not None else ""


def _settings(use: NodeUse, kinds: Catalogue, left: list[Todo]) -> list[Setting]:
    kept = {each.field: KEPT[each.kind] for each in left}
    found = []
    kind = kinds.get(use.type)
    fields = form_of(use, kind, []) if kind is not None else []
    values = {field.name: field.value for field in fields}
    for field in fields:
        here = kept.pop(field.label, "")
        hidden = field.shown_when is not None and values.get(field.shown_when[0]) not in field.shown_when[1]
        words = _words(field)
        if here or (words and not hidden):
            found.append(Setting(field.label, words, here, usual=not field.is_set and not here))
    found += [Setting(title or "Left out", "", words) for title, words in kept.items()]
    if use.on_error in THEN or use.retry.tries > 1:
        found.append(Setting("If it fails", _failing(use)))
    return found


def _failing(use: NodeUse) -> str:
    tries = use.retry.tries
    if tries < 2:
        return THEN.get(use.on_error, "stops the run")
    match use.on_error:
        case "default":
            return f"tries {tries} {'time' if tries == 1 else 'times'}, then goes on with a fixed value"
        case "wire":
            return f"tries {tries} {'time' if tries == 1 else 'times'}, then goes along the error wire"
        case "continue":
            return f"tries {tries} {'time' if tries == 1 else 'times'}, then goes on without it"
        case _:
            return f"tries {tries} {'time' if tries == 1 else 'times'}, then stops the run"


def _words(field: Field) -> str:
    """A value as one reads it, not as the document holds it."""
    value = field.value
    if field.control == "choice":
        return next((option.label for option in field.options if option.value == value), written(value))
    if field.control in ("number", "slider") and value is not None:
        return f"{written(value)} {field.unit}".strip()
    if field.control == "condition" and field.sentence is not None:
        return said(field.sentence)
    if field.control == "lines" and isinstance(value, list):
        return "\n".join(str(each) for each in value)
    if field.control == "pairs" and isinstance(value, dict):
        return "\n".join(f"{name}: {said}" for name, said in value.items())
    if field.control == "rows":
        rows = ([f"{part.label}: {words}" for part in row if (words := _words(part))] for row in field.rows)
        return "\n".join(", ".join(row) for row in rows)
    return written(value) if value not in ([], {}) else ""
