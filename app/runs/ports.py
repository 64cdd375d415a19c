"""Inputs of a step as a person edits them: what each port takes, and the field that fits it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from app.runs.fields import Field, Kind, field_for
from flows.plan import Step
from flows.sdk.ports import AFTER, Port, PortType

FIELDS: dict[PortType, Kind] = {"text": "text", "number": "number", "yesno": "yesno"}
"""All other types are edited as JSON, and what is not typed as what it is now."""


class Typed(Struct, frozen=True):
    """An input port. `type`: as in docs/extend/nodes.md. `many`: it takes a list with what each wire carried."""

    name: str
    title: str
    type: PortType
    required: bool
    many: bool


def typed_ports(inputs: Iterable[Port]) -> list[Typed]:
    """Those of a step's inputs that a value can be put into, in the order of its card."""
    return [
        Typed(port.name, port.title or port.name, port.type, port.required, port.many)
        for port in inputs
        if not port.inside and port.name != AFTER
    ]


def ports_of(step: Step) -> list[Typed]:
    """Of a step of a plan."""
    return typed_ports(step.kind.ports(step.settings).inputs) if step.kind is not None else []


def is_message(value: Any) -> bool:
    """A message of a conversation, as it is on record."""
    return isinstance(value, dict) and isinstance(value.get("text"), str) and value.keys() <= {"text", "role", "name"}


def fields_for(ports: list[Typed], inputs: Mapping[str, Any], sent: Mapping[str, str] | None = None) -> list[Field]:
    """A field for each port, with what would go in; optional ones that got nothing are empty."""
    found = []
    for port in ports:
        value = inputs.get(port.name)
        kind: Kind = "json" if port.many else FIELDS.get(port.type, "json")
        if not port.many and is_message(value):
            kind = "message"
        elif port.type == "any" and not port.many and isinstance(value, str):
            kind = "text"
        elif kind != "json" and value is not None and not isinstance(value, (str, int, float, bool)):
            kind = "json"  # it does not fit yet
        found.append(field_for(kind, port.name, port.title, value, sent, given=port.name in inputs))
    return found
