"""Values as fields of a form and back: text as text, everything else as JSON. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from app.errors import Refused

MOST = 24
"""Fields of an object; one with more is edited as a whole."""


class Field(Struct, frozen=True):
    """`name`: "text.PORT", "json.PORT", or "json" for the whole value."""

    name: str
    label: str
    value: str
    mono: bool
    rows: int


def fields_of(value: Any, sent: Mapping[str, str] | None = None) -> list[Field]:
    """One field for each part of an object. `sent`: what a person wrote before, when the form comes back."""
    if not isinstance(value, dict) or len(value) > MOST:
        return [_field("json", "The whole value, as JSON", value, sent)]
    return [
        _field(f"{'text' if isinstance(each, str) else 'json'}.{key}", str(key), each, sent)
        for key, each in value.items()
    ]


def _field(name: str, label: str, value: Any, sent: Mapping[str, str] | None) -> Field:
    text = value if name.startswith("text.") else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    text = (sent or {}).get(name, text)
    return Field(
        name, label, text, not name.startswith("text."), max(1, min(14, text.count("\n") + 1 + len(text) // 90))
    )


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
    return found or None


def _read(text: str, name: str, label: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Refused(
            f"{label} is not JSON: {error}.", remedy='Write text in quotes: "like this".', field=name
        ) from None


def read_output(text: str) -> dict[str, Any] | None:
    """What a person says a step gave: an object with a value for each port. Empty: nothing. Raises Refused."""
    if not text.strip():
        return None
    value = _read(text, "output", "What came out")
    if not isinstance(value, dict):
        raise Refused("What came out has a value for each port.", remedy='Write {"port": value}.', field="output")
    return value
