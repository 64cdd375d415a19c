"""Values as fields of a form and back: text as text, everything else as JSON. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.errors import Refused

MOST = 24
"""Fields of an object; one with more is edited as a whole."""


Kind = Literal["text", "json", "number", "yesno", "message"]
"""A message is edited as its text."""


class Field(Struct, frozen=True):
    """`name`: its kind, a point and the part's name, or "json" for the whole value. `port`: the part's name."""

    name: str
    label: str
    value: str
    mono: bool
    rows: int
    kind: Kind = "json"
    port: str = ""


def fields_of(value: Any, sent: Mapping[str, str] | None = None) -> list[Field]:
    """One field for each part of an object. `sent`: what a person wrote before, when the form comes back."""
    if not isinstance(value, dict) or len(value) > MOST:
        return [_field("json", "The whole value, as JSON", value, sent)]
    return [
        field_for("text" if isinstance(each, str) else "json", str(key), str(key), each, sent)
        for key, each in value.items()
    ]


def field_for(
    kind: Kind, port: str, label: str, value: Any, sent: Mapping[str, str] | None = None, *, given: bool = True
) -> Field:
    """The field of one part. `given` False: there is no value, so the field is empty."""
    name = f"{kind}.{port}"
    if not given:
        return Field(name, label, (sent or {}).get(name, ""), kind == "json", 1 + (kind == "json"), kind, port)
    return _field(name, label, value, sent, kind, port)


def _field(
    name: str, label: str, value: Any, sent: Mapping[str, str] | None, kind: Kind = "json", port: str = ""
) -> Field:
    text = (sent or {}).get(name, _written(value, kind))
    rows = max(1, min(14, text.count("\n") + 1 + len(text) // 90))
    return Field(name, label, text, kind == "json", rows, kind, port)


def _written(value: Any, kind: Kind) -> str:
    if kind == "message" and isinstance(value, dict):
        return str(value["text"])
    if kind == "yesno":
        return "yes" if value is True else "no" if value is False else str(value)
    if kind in ("text", "number") and isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def value_of(sent: Mapping[str, str]) -> Any:
    """What the fields say; None when none of them was sent. Raises Refused naming the field that holds no JSON."""
    if "json" in sent:
        return _read(sent["json"], "json", "The value")
    found: dict[str, Any] = {}
    for name, text in sent.items():
        kind, _, key = name.partition(".")
        if kind == "text" and key:
            found[key] = text.replace("\r\n", "\n")
        elif kind == "json" and key:
            found[key] = _read(text, name, f"'{key}'")
        elif kind == "message" and key:
            found[key] = {"text": text.replace("\r\n", "\n")}
        elif kind == "number" and key:
            found[key] = _number(text, name, key)
        elif kind == "yesno" and key:
            found[key] = text == "yes"
    return found or None


def changed_of(sent: Mapping[str, str], fields: list[Field]) -> dict[str, Any]:
    """What somebody changed in a form of these fields: a field left as it was, and an empty one, say nothing.

    Raises Refused as `value_of` does.
    """
    was = {each.name: each.value for each in fields}
    changed = {
        name: text
        for name, text in sent.items()
        if name in was and text.replace("\r\n", "\n").strip() != was[name].strip() and (text.strip() or was[name])
    }
    return dict(value_of(changed) or {}) if changed else {}


def _read(text: str, name: str, label: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Refused(
            f"{label} is not JSON: {error}.", remedy='Write text in quotes: "like this".', field=name
        ) from None


def _number(text: str, name: str, label: str) -> int | float:
    try:
        value = msgspec.json.decode(text.strip(), type=int | float)
    except msgspec.DecodeError:
        raise Refused(f"'{label}' is no number: {text[:40]}.", remedy="Write it like 3 or 0.5.", field=name) from None
    return value


def read_output(text: str) -> dict[str, Any] | None:
    """What a person says a step gave: an object with a value for each port. Empty: nothing. Raises Refused."""
    if not text.strip():
        return None
    value = _read(text, "output", "What came out")
    if not isinstance(value, dict):
        raise Refused("What came out has a value for each port.", remedy='Write {"port": value}.', field="output")
    return value
