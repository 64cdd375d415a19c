"""Ports: the typed ends of wires, derived from a node's Inputs and Outputs."""

import functools
import operator
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Meta, Struct, UnsetType, structs

from flows.sdk.values import Audio, Document, File, Image, Message

PortType = Literal["text", "number", "yesno", "object", "list", "file", "image", "audio", "document", "message", "any"]
"""Image, audio and document are files: they look like one, and differ in word and letter."""

VALUES = "values"
"""The field of Inputs or Outputs through which dynamic ports travel; it is no port itself."""

AFTER = "after"
"""An input that every step has undeclared: takes any number of wires, hands over no value, only makes the step wait."""

ERROR = "error"
"""The output a step gains when its `on_error` is "wire"."""


class Port(Struct, frozen=True, omit_defaults=True):
    """One typed end.

    `many`: an input that takes any number of wires and receives a list, in wire order, without skipped ones.
    `branch`: an output that may stay silent (value UNSET); what hangs on it is then skipped.
    `inside`: a port on the inner edge of a container, wired only to the container's own children.
    """

    name: str
    type: PortType = "any"
    title: str = ""
    description: str = ""
    required: bool = True
    many: bool = False
    branch: bool = False
    inside: bool = False


class Ports(Struct, frozen=True):
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()


FITS: dict[tuple[PortType, PortType], str] = {
    ("message", "text"): "takes the message's text",
    ("text", "message"): "becomes a message of the user",
    ("number", "text"): "written out",
    ("yesno", "text"): "written as yes or no",
    ("image", "file"): "is a file",
    ("audio", "file"): "is a file",
    ("document", "file"): "is a file",
    ("file", "image"): "must be an image when it arrives",
    ("file", "audio"): "must be audio when it arrives",
    ("file", "document"): "must be a document when it arrives",
    ("text", "document"): "becomes a document of this text",
    ("document", "text"): "gives its text, if it was made of one",
}
"""Besides equal types and `any` on either end: (from, to) -> what happens to the value."""

PLAIN: dict[Any, PortType] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "yesno",
    Message: "message",
    File: "file",
    Image: "image",
    Audio: "audio",
    Document: "document",
}


def fits(source: PortType, target: PortType) -> bool:
    return source == target or "any" in (source, target) or (source, target) in FITS


def bare(annotation: Any) -> Any:
    """The annotation without Annotated, None, UnsetType: `Annotated[str, …] | None` gives str. A real union stays."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = [bare(a) for a in get_args(annotation) if a not in (NoneType, UnsetType)]
        if len(members) == 1:
            return members[0]
        return functools.reduce(operator.or_, members)
    return annotation


def port_type_of(annotation: Any) -> PortType:
    """The port type of a Python annotation; table in docs/extend/nodes.md. What fits nothing is "any"."""
    kind = bare(annotation)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        types = {port_type_of(member) for member in get_args(kind)}
        return types.pop() if len(types) == 1 else "any"
    if origin is Literal:
        types = {port_type_of(type(value)) for value in get_args(kind)}
        return types.pop() if len(types) == 1 else "any"
    if origin is not None:
        kind = origin
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type):
        if issubclass(kind, str):
            return "text"
        if issubclass(kind, list | tuple | set | frozenset) or kind is Sequence:
            return "list"
        if issubclass(kind, dict | Struct) or kind is Mapping:
            return "object"
    return "any"


def ports_of(inputs: type[Struct], outputs: type[Struct]) -> Ports:
    return Ports(tuple(_inputs(inputs)), tuple(_outputs(outputs)))


def many() -> Meta:
    """Use inside Annotated on a list field of Inputs: the port takes any number of wires."""
    return Meta(extra_json_schema={"x-many": True})


def metas(annotation: Any) -> list[Meta]:
    """Every Meta of an annotation, outermost last."""
    found: list[Meta] = []
    if get_origin(annotation) is Annotated:
        inner, *rest = get_args(annotation)
        found = metas(inner) + [meta for meta in rest if isinstance(meta, Meta)]
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            found += metas(member)
    return found


def extra(annotation: Any, key: str) -> Any:
    """The last value of a key given in a Meta's extra_json_schema, or None."""
    value = None
    for meta in metas(annotation):
        if meta.extra_json_schema and key in meta.extra_json_schema:
            value = meta.extra_json_schema[key]
    return value


def _told(name: str, annotation: Any) -> tuple[str, str]:
    title, description = "", ""
    for meta in metas(annotation):
        title, description = meta.title or title, meta.description or description
    return title or name.replace("_", " ").capitalize(), description


def _inputs(kind: type[Struct]) -> list[Port]:
    hints = get_type_hints(kind, include_extras=True)
    ports = []
    for field in structs.fields(kind):
        if _carries_dynamic(kind, field.name, hints):
            continue
        annotation = hints[field.name]
        title, description = _told(field.encode_name, annotation)
        required = field.default is NODEFAULT and field.default_factory is NODEFAULT
        takes_many = bool(extra(annotation, "x-many"))
        kind_of = port_type_of(_element(annotation) if takes_many else annotation)
        ports.append(Port(field.name, kind_of, title, description, required=required, many=takes_many))
    return ports


def _outputs(kind: type[Struct]) -> list[Port]:
    hints = get_type_hints(kind, include_extras=True)
    ports = []
    for field in structs.fields(kind):
        if _carries_dynamic(kind, field.name, hints):
            continue
        annotation = hints[field.name]
        title, description = _told(field.encode_name, annotation)
        silent = _may_be_unset(annotation)
        ports.append(Port(field.name, port_type_of(annotation), title, description, branch=silent))
    return ports


def _carries_dynamic(kind: type[Struct], name: str, hints: dict[str, Any]) -> bool:
    if name in (AFTER, ERROR) or (name == VALUES and port_type_of(hints[name]) != "object"):
        use = "carries the values of dynamic ports and must be a dict" if name == VALUES else "belongs to the engine"
        raise TypeError(f"The field '{name}' of {kind.__qualname__} {use}. Choose another name.")
    return name == VALUES


def _may_be_unset(annotation: Any) -> bool:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return UnsetType in get_args(annotation)


def _element(annotation: Any) -> Any:
    inner = get_args(bare(annotation))
    return inner[0] if inner else Any
