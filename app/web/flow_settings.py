"""Walking through the settings of a step by the schema of its type, at any depth. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from flows.catalogue import AnyNode

DROP = object()
"""What `change` gives to leave a value out."""

Change = Callable[[str, str, Any], Any]
"""(place such as "headers.0.value", the x-widget there or "", the value) -> the value instead."""


def changed(settings: Mapping[str, Any], kind: AnyNode, change: Change) -> dict[str, Any]:
    """The same settings, with every value that is no object and no list, or has a widget, as `change` says."""
    schema = kind.settings_schema()
    defs: Mapping[str, Any] = schema.get("$defs", {})
    found: dict[str, Any] = _walk(dict(settings), _shape(schema, defs), defs, "", change)
    return found


def _walk(value: Any, shape: Mapping[str, Any], defs: Mapping[str, Any], place: str, change: Change) -> Any:
    if isinstance(value, dict):
        fields, rest = shape.get("properties", {}), shape.get("additionalProperties")
        result = {}
        for name, each in value.items():
            part = fields.get(name, rest if isinstance(rest, Mapping) else {})
            inner = _shape(part, defs)
            widget = part.get("x-widget") or inner.get("x-widget", "")
            where = f"{place}.{name}" if place else name
            made = (
                _walk(each, inner, defs, where, change)
                if isinstance(each, dict | list) and not widget
                else change(where, widget, each)
            )
            if made is not DROP:
                result[name] = made
        return result
    if isinstance(value, list):
        inner = _shape(shape.get("items", {}), defs)
        parts = (_walk(each, inner, defs, f"{place}.{i}", change) for i, each in enumerate(value))
        return [part for part in parts if part is not DROP]
    return change(place, shape.get("x-widget", ""), value)


def _shape(part: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow $ref; of several shapes take the one that says something."""
    if "$ref" in part:
        return _shape(defs.get(part["$ref"].rpartition("/")[2], {}), defs)
    for key in ("anyOf", "oneOf"):
        for each in part.get(key, ()):
            found = _shape(each, defs)
            if "properties" in found or "items" in found or "x-widget" in found:
                return found
    return part
