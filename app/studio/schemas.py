"""JSON Schema as a list of fields a person can build, and back. What the list can't say is kept and shown as source.

`read` gives the fields of an object schema, `write` the schema again: the same bytes of meaning, every unknown keyword
in its place. `infer` makes one of a sample.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

Kind = Literal["text", "number", "whole", "yesno", "choice", "object", "any"]
KINDS: tuple[tuple[Kind, str], ...] = (
    ("text", "Text"), ("number", "Number"), ("whole", "Whole number"), ("yesno", "Yes or no"), ("choice", "One of"),
    ("object", "Object"), ("any", "Anything"),
)  # fmt: skip
JSON: dict[Kind, str] = {
    "text": "string",
    "number": "number",
    "whole": "integer",
    "yesno": "boolean",
    "object": "object",
}
NAMES: dict[str, Kind] = {json: kind for kind, json in JSON.items()}
DEEPEST = 5
MOST_FIELDS = 200
OWN = frozenset({"type", "properties", "required", "items", "description", "enum", "additionalProperties"})
"""Keywords the list itself says. Others are kept with their field."""


class Property(Struct, frozen=True):
    """One field. `options`: of a choice. `inner`: of an object. `kept`: keywords the list has no control for."""

    name: str
    kind: Kind = "text"
    many: bool = False
    required: bool = True
    description: str = ""
    options: tuple[str, ...] = ()
    inner: tuple["Property", ...] = ()
    kept: dict[str, Any] = field(default_factory=dict)


class Shape(Struct, frozen=True):
    """An object: its fields, and what else its schema says."""

    fields: tuple[Property, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict)


def read(schema: Any) -> Shape | None:
    """None for what is no object schema made of fields (a union, a list at the top, a reference): that stays source."""
    if schema in ({}, None, ""):
        return Shape()
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return None
    found = _fields(schema, 1)
    if found is None or sum(map(_count, found)) > MOST_FIELDS:
        return None
    return Shape(found, _kept(schema))


def write(shape: Shape) -> dict[str, Any]:
    """{} for no field at all."""
    if not shape.fields and not shape.kept:
        return {}
    return _object(shape.fields) | shape.kept


def infer(sample: Any) -> dict[str, Any]:
    """The schema of a sample object; of a list of objects that of all its elements, a field some lack is optional.

    Raises ValueError for what holds no field.
    """
    rows = sample if isinstance(sample, list) else [sample]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError('A sample is an object, such as {"name": "Mara"}, or a list of objects.')
    return write(Shape(_of_rows(rows, 1)))


def _fields(schema: Mapping[str, Any], depth: int) -> tuple[Property, ...] | None:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if depth > DEEPEST or not isinstance(properties, dict) or not isinstance(required, list):
        return None
    if not set(map(str, required)) <= properties.keys() or not isinstance(
        schema.get("additionalProperties", False), bool
    ):
        return None
    found = [_property(name, part, name in required, depth) for name, part in properties.items()]
    return None if None in found else tuple(each for each in found if each is not None)


def _property(name: str, part: Any, required: bool, depth: int) -> Property | None:
    if not isinstance(part, dict):
        return None
    many = part.get("type") == "array"
    inner = part.get("items", {}) if many else part
    if not isinstance(inner, dict) or (many and ("properties" in part or "enum" in part)):
        return None
    kept = _kept(part) | ({"items": _kept(inner)} if many and _kept(inner) else {})
    description = part.get("description", "")
    if many and inner.get("description") is not None:
        kept["items"] = {"description": inner["description"]} | kept.get("items", {})
    if not isinstance(description, str):
        return None
    if "enum" in inner:
        options = inner["enum"]
        if inner.get("type", "string") != "string" or not options or not all(isinstance(o, str) for o in options):
            return None
        return Property(name, "choice", many, required, description, tuple(options), kept=kept)
    kind: Kind | None = NAMES.get(inner["type"]) if isinstance(inner.get("type"), str) else "any"
    if kind is None or ("type" in inner and not isinstance(inner["type"], str)):
        return None
    nested = _fields(inner, depth + 1) if kind == "object" else ()
    if nested is None or (kind != "object" and "properties" in inner):
        return None
    return Property(name, kind, many, required, description, inner=nested, kept=kept)


def _kept(part: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in part.items() if key not in OWN}
    if part.get("additionalProperties") is True:
        found["additionalProperties"] = True
    return found


def _object(fields: Sequence[Property]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {each.name: _part(each) for each in fields if each.name},
        "required": [each.name for each in fields if each.name and each.required],
        "additionalProperties": False,
    }


def _part(each: Property) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if each.kind == "choice":
        made = {"type": "string", "enum": list(each.options)}
    elif each.kind == "object" and each.inner:
        made = _object(each.inner)
    elif each.kind != "any":
        made = {"type": JSON[each.kind]}
    kept = dict(each.kept)
    if each.many:
        made = {"type": "array", "items": made | kept.pop("items", {})}
    return made | ({"description": each.description} if each.description else {}) | kept


def _of_rows(rows: Sequence[Mapping[str, Any]], depth: int) -> tuple[Property, ...]:
    names = list(dict.fromkeys(str(name) for row in rows for name in row))[:MOST_FIELDS]
    return tuple(_of_values(name, [row[name] for row in rows if name in row], len(rows), depth) for name in names)


def _of_values(name: str, values: Sequence[Any], rows: int, depth: int) -> Property:
    known = [value for value in values if value is not None]
    required = len(known) == rows
    many = bool(known) and all(isinstance(value, list) for value in known)
    if many:
        known = [part for value in known for part in value if part is not None]
    kind = _kind(known)
    inner = _of_rows(known, depth + 1) if kind == "object" and depth < DEEPEST else ()
    return Property(name, kind, many, required, inner=inner)


def _kind(values: Sequence[Any]) -> Kind:
    kinds: tuple[tuple[Kind, tuple[type, ...]], ...] = (
        ("yesno", (bool,)), ("whole", (int,)), ("number", (int, float)), ("text", (str,)), ("object", (dict,)),
    )  # fmt: skip
    for kind, types in kinds:
        if values and all(
            isinstance(value, types) and (kind == "yesno" or not isinstance(value, bool)) for value in values
        ):
            return kind
    return "any"


def _count(each: Property) -> int:
    return 1 + sum(map(_count, each.inner))
