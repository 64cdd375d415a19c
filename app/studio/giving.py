"""A flow as it is given to strangers: without what belongs to its workspace, and with what whoever takes it has to do.
Pure.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from app.runs.queries import redacted
from app.studio.ports import field_title
from app.studio.service.fragments import without_secrets
from flows.catalogue import Catalogue
from flows.model import Flow, NodeUse

OWN = frozenset({"secret", "connection", "flow", "file", "model"})
"""Widgets whose values name what one workspace has: a stranger neither sees nor could use them."""
WHAT = {
    "secret": "enter the secret", "connection": "choose a connection", "flow": "choose a flow",
    "file": "choose a file", "model": "choose a model, or leave it to the usual one",
}  # fmt: skip
TYPE_MISSING = "its component is not installed here; its settings did not come along"


class Todo(Struct, frozen=True):
    """What is left to do in a copy. `title`: the step; `field`: the setting, "" = the whole step."""

    node: str
    title: str
    field: str
    what: str


class Given(Struct, frozen=True):
    flow: Flow
    todo: list[Todo]


def given(flow: Flow, kinds: Catalogue) -> Given:
    """The document without secrets, connections, models, files and other flows, and without texts that look like keys.

    Steps of a type that is not known here lose all their settings: nobody can say which of them are private.
    """
    todo: list[Todo] = []
    nodes = [_given(node, kinds, todo) for node in flow.nodes]
    return Given(
        Flow(nodes=nodes, edges=flow.edges, name=redacted(flow.name), description=redacted(flow.description)), todo
    )


def _given(node: NodeUse, kinds: Catalogue, todo: list[Todo]) -> NodeUse:
    kind = kinds.get(node.type)
    title = node.label or (kind.title if kind is not None else node.type)
    more = {"label": redacted(node.label), "default": redacted(node.default)}
    if kind is None:
        todo.append(Todo(node.id, title, "", TYPE_MISSING))
        return msgspec.structs.replace(node, settings={}, exposed={}, **more)
    schema = kind.settings_schema()
    defs: Mapping[str, Any] = schema.get("$defs", {})
    lost: list[tuple[str, str]] = []
    stripped = _without(node.settings, _shape(schema, defs), defs, "", lost)
    for field, widget in lost:
        top = field.partition(".")[0]
        todo.append(Todo(node.id, title, field_title(kind, top), WHAT[widget]))
    kept, keys = without_secrets(msgspec.structs.replace(node, settings=stripped), kinds)
    if keys:
        todo.append(Todo(node.id, title, "", "enter the keys again"))
    return msgspec.structs.replace(node, settings=redacted(kept), **more)


def _without(value: Any, shape: Mapping[str, Any], defs: Mapping[str, Any], place: str, lost: list[Any]) -> Any:
    """The value without the parts whose schema says that they belong to one workspace, at any depth."""
    if isinstance(value, dict):
        fields, rest = shape.get("properties", {}), shape.get("additionalProperties")
        result = {}
        for name, each in value.items():
            part = fields.get(name, rest if isinstance(rest, Mapping) else {})
            widget = part.get("x-widget", _shape(part, defs).get("x-widget", ""))
            where = f"{place}.{name}" if place else name
            if widget in OWN:
                if each:
                    lost.append((where, widget))
                continue
            result[name] = _without(each, _shape(part, defs), defs, where, lost)
        return result
    if isinstance(value, list):
        inner = _shape(shape.get("items", {}), defs)
        return [_without(each, inner, defs, f"{place}.{i}", lost) for i, each in enumerate(value)]
    return value


def _shape(part: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow $ref; of several shapes take the one that has fields."""
    if "$ref" in part:
        return _shape(defs.get(part["$ref"].rpartition("/")[2], {}), defs)
    for key in ("anyOf", "oneOf"):
        for each in part.get(key, ()):
            found = _shape(each, defs)
            if "properties" in found or "items" in found or "x-widget" in found:
                return found
    return part
