"""Inputs of a step as a person edits them: what each port takes, and the field that fits it. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from app.runs.fields import Field, Kind, field_for
from flows.plan import Step
from flows.sdk.ports import PortType

FIELDS: dict[PortType, Kind] = {"text": "text", "number": "number", "yesno": "yesno"}
"""All other types are edited as JSON, and what is not typed as what it is now."""


class Typed(Struct, frozen=True):
    """An input port. `type`: as in docs/extend/nodes.md. `many`: it takes a list with what each wire carried."""

    name: str
    title: str
    type: PortType
    required: bool
    many: bool


def typed_ports(step: Step) -> list[Typed]:
    """The step's inputs that a value can be put into, in the order of its card."""
    if step.kind is None:
        return []
    return [
        Typed(port.name, port.title or port.name, port.type, port.required, port.many)
        for port in step.kind.ports(step.settings).inputs
        if not port.inside
    ]


def fields_for(ports: list[Typed], inputs: Mapping[str, Any], sent: Mapping[str, str] | None = None) -> list[Field]:
    """A field for each port, with what would go in; optional ones that got nothing are empty."""
    found = []
    for port in ports:
        value = inputs.get(port.name)
        kind: Kind = "json" if port.many else FIELDS.get(port.type, "json")
        if port.type == "any" and not port.many and isinstance(value, str):
            kind = "text"
        if kind in ("number", "yesno", "text") and value is not None and not isinstance(value, (str, int, float, bool)):
            kind = "json"  # it does not fit, or is a message on its way to a text
        found.append(field_for(kind, port.name, port.title, value, sent, given=port.name in inputs))
    return found
