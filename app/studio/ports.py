"""A step's settings and ports as an editor sees them: lenient, since most of what it sees is half written."""

from typing import Any

import msgspec

from flows.catalogue import AnyNode, Catalogue
from flows.model import NodeUse
from flows.reading import ERROR_PORT
from flows.sdk.ports import ERROR, Ports


def settings_of(use: NodeUse, kind: AnyNode) -> Any:
    """The step's settings as its type's struct. None if that fails.

    Fields that do not fit yet count as their default.
    """
    try:
        return msgspec.convert(use.settings, kind.settings)
    except msgspec.ValidationError:
        pass
    fitting = {}
    for field in msgspec.structs.fields(kind.settings):
        if field.encode_name in use.settings:
            try:
                fitting[field.encode_name] = msgspec.convert(use.settings[field.encode_name], field.type)
            except msgspec.ValidationError:
                continue
    try:
        return msgspec.convert(fitting, kind.settings)
    except msgspec.ValidationError:
        return None


def ports_of(use: NodeUse, catalogue: Catalogue) -> Ports | None:
    """The step's ports with its present settings; None when its type is not installed (then any name may be wired).

    Where the engine gives up on a setting that does not fit, this goes on with its default: wires stay while one types.
    """
    kind = catalogue.get(use.type)
    if kind is None:
        return None
    try:
        ports = kind.ports(settings_of(use, kind))
    except Exception:  # an expression half written, or a package's own fault: the fixed ports stay
        ports = kind.static
    if use.on_error != "wire" or any(port.name == ERROR for port in ports.outputs):
        return ports
    return Ports(ports.inputs, (*ports.outputs, ERROR_PORT))


def field_title(kind: AnyNode | None, field: str) -> str:
    """What people call a setting; the field's own name where its type says nothing."""
    schema = kind.settings_schema() if kind is not None else {}
    shape = schema.get("$defs", {}).get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    title: str = shape.get("properties", {}).get(field, {}).get("title", "")
    return title or field.replace("_", " ").capitalize()
