"""Inputs of a step as a person edits them: what each port takes, and the field that fits it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, ValidationError, convert

from app.runs.fields import MOST, Field, Kind, field_for, fields_of
from flows import catalogue
from flows.model import Flow
from flows.plan import Step
from flows.sdk.errors import NodeError
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
    return [_typed(port) for port in inputs if not port.inside and port.name != AFTER]


def _typed(port: Port) -> Typed:
    return Typed(port.name, port.title or port.name, port.type, port.required, port.many)


def ports_of(step: Step) -> list[Typed]:
    """Of a step of a plan."""
    return typed_ports(step.kind.ports(step.settings).inputs) if step.kind is not None else []


def started_with(flow: Flow, trigger: str) -> list[Typed]:
    """What the step of a flow that this kind of trigger starts hands on: the input of a run, by its names."""
    kinds = catalogue.load()
    for use in flow.nodes:
        kind = kinds.get(use.type)
        if kind is None or kind.trigger != trigger.partition(":")[0]:
            continue
        try:
            ports = kind.ports(convert(use.settings, kind.settings))
        except (NodeError, ValidationError):
            ports = kind.static
        return [_typed(port) for port in ports.outputs]
    return []


def input_fields(flow: Flow, trigger: str, input: Any, sent: Mapping[str, str] | None = None) -> list[Field]:
    """A field for each part of a run's input: typed where its start step says the type, else as the value is."""
    if not isinstance(input, dict) or len(input) > MOST:
        return fields_of(input, sent)
    typed = {port.name: port for port in started_with(flow, trigger)}
    names = {str(name): value for name, value in input.items()}
    ports = [typed.get(name) or Typed(name, name, _type(value), True, False) for name, value in names.items()]
    return fields_for(ports, input, sent)


def _type(value: Any) -> PortType:
    match value:
        case bool():
            return "yesno"
        case int() | float():
            return "number"
        case str():
            return "text"
    return "any"


def is_message(value: Any) -> bool:
    """A message of a conversation, as it is on record."""
    return isinstance(value, dict) and isinstance(value.get("text"), str) and value.keys() <= {"text", "role", "name"}


def fields_for(ports: list[Typed], inputs: Mapping[str, Any], sent: Mapping[str, str] | None = None) -> list[Field]:
    """A field for each port, with what would go in; optional ones that got nothing are empty."""
    found = []
    for port in ports:
        value = inputs.get(port.name)
        kind: Kind = "json" if port.many else FIELDS.get(port.type, "json")
        if value is None and port.name in inputs:
            kind = "json"  # nothing, which is no text
        elif not port.many and is_message(value):
            kind = "message"
        elif port.type in ("any", "message") and not port.many and isinstance(value, str):
            kind = "text"
        elif kind != "json" and value is not None and not isinstance(value, (str, int, float, bool)):
            kind = "json"  # it does not fit yet
        found.append(field_for(kind, port.name, port.title, value, sent, given=port.name in inputs))
    return found
