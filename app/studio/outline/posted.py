"""What the form of a step sent, as settings. Each control of templates/studio/_control.html has its way to be read.

Names: `s.<setting>`; in a list of small forms `s.<setting>.<row>.<part>`, in pairs `s.<setting>.<row>.key` and
`.value`, and in both `s.<setting>.rows` names each row. Conditions and schemas: posted_condition.py and
posted_schema.py beside this file.
A setting whose name did not come was not on the form, and stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from app.studio.outline.posted_condition import condition
from app.studio.outline.posted_schema import schema
from app.studio.settings_form import Field

Sent = Mapping[str, Sequence[str]]
"""Every value under every name, in the order of the form."""


EMPTY: tuple[Any, ...] = (None, "", [], {})


class Unreadable(Struct, frozen=True):
    """A value that is no number or no JSON. `given` is what was typed: the form shows it again."""

    field: str
    given: str
    why: str


class Read(Struct):
    """`settings`: setting -> its new value, UNSET = back to the default; only what came. `faults`: what could not."""

    settings: dict[str, Any]
    faults: list[Unreadable]


def read(fields: Sequence[Field], sent: Sent, deed: str = "", path: str = "s") -> Read:
    """`deed`: "add:<setting>", "drop:<setting>.<row>" or "up:<setting>.<row>", from the buttons of lists.

    `path`: what names begin with.
    """
    found = Read({}, [])
    for field in fields:
        value = _value(field, f"{path}.{field.name}", sent, found.faults, f"{path}.", deed)
        if value is not None:
            found.settings[field.name] = value[0]
    verb, _, what = deed.partition(":")
    name, _, row = what.partition(".")
    listed = next((each for each in fields if each.name == name), None)
    if listed is not None and verb in ("add", "drop", "up"):
        _listed(found.settings, listed, verb, int(row) if row.isdigit() else -1)
    return found


def changed(fields: Sequence[Field], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was read, that which is new. A form can't tell an empty text, an empty list and nothing apart."""
    now = {field.name: field for field in fields}

    def same(name: str, value: Any) -> bool:
        if value is UNSET:
            return not now[name].is_set
        return bool(value == now[name].value) or (value in EMPTY and now[name].value in EMPTY)

    return {name: value for name, value in settings.items() if not same(name, value)}


def with_what_was_typed(fields: list[Field], faults: list[Unreadable]) -> list[Field]:
    """What could not be read stands in its field again, with the reason."""
    typed = {fault.field: fault for fault in faults}
    return [
        msgspec.structs.replace(field, value=typed[field.name].given, error=typed[field.name].why)
        if field.name in typed
        else field
        for field in fields
    ]


def _value(
    field: Field, name: str, sent: Sent, faults: list[Unreadable], root: str = "", deed: str = ""
) -> tuple[Any] | None:
    """The value in a tuple of one; None when nothing of this field came."""
    listed = field.control in ("rows", "pairs")
    if (f"{name}.rows" if listed else name) not in sent:
        return None
    if listed:
        pairs = field.control == "pairs"
        return (_pairs(name, sent) if pairs else _rows(field, name, sent, faults, root, deed),)
    text = sent[name][-1].replace("\r\n", "\n")
    match field.control:
        case "condition" if f"{name}.was" in sent:
            text = condition(name, sent, deed, name.removeprefix(root), field.start)
        case "schema":
            return _schema(field, name, sent, faults, deed, name.removeprefix(root))
        case "yesno":
            return ("yes" in sent[name],)
        case "lines":
            return ([line.strip() for line in text.split("\n") if line.strip()],)
        case "number" | "slider":
            return _number(field, text, faults)
        case "choice":
            return _json(field, text, faults)
        case "json" | "file":
            return _any(field, text, faults)
    return (text,)


def _any(field: Field, text: str, faults: list[Unreadable]) -> tuple[Any] | None:
    """JSON as a value, or, where the setting is a text that holds JSON, as that text."""
    as_text = isinstance(field.value, str)
    if not text.strip():
        return ("" if as_text else None,)
    read = _json(field, text, faults)
    return (text,) if as_text and read is not None else read


def _number(field: Field, text: str, faults: list[Unreadable]) -> tuple[Any] | None:
    if not text.strip():
        return (None if field.default is None else UNSET,)
    try:
        return (int(text) if field.step == "1" else float(text),)
    except ValueError:
        faults.append(Unreadable(field.name, text, f"“{text[:40]}” is no number."))
        return None


def _json(field: Field, text: str, faults: list[Unreadable]) -> tuple[Any] | None:
    try:
        return (msgspec.json.decode(text),)
    except msgspec.DecodeError as problem:
        faults.append(Unreadable(field.name, text, f"This is not JSON yet: {problem}."))
        return None


def _schema(field: Field, name: str, sent: Sent, faults: list[Unreadable], deed: str, at: str) -> tuple[Any] | None:
    try:
        return (schema(name, sent, deed, at),)
    except ValueError as problem:
        faults.append(Unreadable(field.name, sent[name][-1], str(problem)))
        return None


def _rows(field: Field, name: str, sent: Sent, faults: list[Unreadable], root: str, deed: str) -> list[dict[str, Any]]:
    rows = []
    for row in filter(None, sent[f"{name}.rows"]):
        parts = {}
        # A row that is there may have parts that a new one has not: settings another one took the place of.
        for part in field.rows[int(row)] if row.isdigit() and int(row) < len(field.rows) else field.row:
            value = _value(part, f"{name}.{row}.{part.name}", sent, faults, root, deed)
            if value is not None and value[0] is not UNSET and value[0] is not None:
                parts[part.name] = value[0]
        rows.append(parts)
    return rows


def _pairs(name: str, sent: Sent) -> dict[str, str]:
    pairs = {}
    for row in filter(None, sent[f"{name}.rows"]):
        key = (sent.get(f"{name}.{row}.key") or [""])[-1].strip()
        if key:
            pairs[key] = (sent.get(f"{name}.{row}.value") or [""])[-1]
    return pairs


def _listed(settings: dict[str, Any], field: Field, verb: str, row: int) -> None:
    """A list with one more row at its end, one less, or one a place further up."""
    given = settings.get(field.name, field.value)
    if field.control == "pairs":
        pairs = list((given or {}).items())
        if verb == "add":
            pairs.append((_free_name(dict(pairs)), ""))
        elif 0 <= row < len(pairs):
            pairs.pop(row)
        settings[field.name] = dict(pairs)
        return
    rows = list(given or [])
    if verb == "add":
        rows.append({part.name: part.value for part in field.row if part.value is not None})
    elif verb == "drop" and 0 <= row < len(rows):
        rows.pop(row)
    elif verb == "up" and 0 < row < len(rows):
        rows[row - 1], rows[row] = rows[row], rows[row - 1]
    settings[field.name] = rows


def _free_name(taken: dict[str, Any]) -> str:
    return next(name for n in range(1, len(taken) + 2) if (name := f"name {n}" if n > 1 else "name") not in taken)
