"""The settings form of a step, derived from its type: which control each field gets, its value, its fault."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from app.studio import schemas
from app.studio.sentence_reading import read
from app.studio.sentences import Sentence
from app.web.forms import human
from flows.catalogue import AnyNode
from flows.model import Exposed, NodeUse
from flows.problems import Problem
from flows.sdk.annotations import CONDITION, FILE, SCHEMA

CONTROLS = {
    "template": "template",
    "expression": "expression",
    "multiline": "multiline",
    "code": "code",
    "json": "json",
    "model": "model",
    "connection": "connection",
    "flow": "flow",
    "secret": "secret",
    "slider": "slider",
}
"""x-widget of the SDK -> control of templates/studio/_control.html."""
LONG = 300
"""Texts that may be longer than this get more than one line."""


class Option(Struct, frozen=True):
    value: Any
    label: str


class Field(Struct, frozen=True):
    """One control. `control`: text, multiline, template, expression, code, json, number, slider, yesno, choice, model,
    connection, flow, secret, condition (an expression built as a sentence), schema, file, lines (a list of texts),
    pairs (name and value), rows (a list of small forms).

    `value` is what the document holds, else the default. `shown_when`: (field, values) that must hold to show it.
    `exposed`: it stands on the flow's settings page, with this name and help.
    `accepts`: media types of a file, () = any. `shape`: the fields of a schema that has nothing but fields.
    `sentence`: of a condition that is one; `start`: the value its first clause begins with.
    `row`: the controls of one row, with empty values; `rows`: the same for each row there is.
    """

    name: str
    label: str
    control: str
    value: Any = None
    default: Any = None
    help: str = ""
    error: str = ""
    required: bool = False
    advanced: bool = False
    lines: int = 5
    unit: str = ""
    least: float | None = None
    most: float | None = None
    step: str = "any"
    options: tuple[Option, ...] = ()
    shown_when: tuple[str, tuple[Any, ...]] | None = None
    row: tuple["Field", ...] = ()
    rows: tuple[tuple["Field", ...], ...] = ()
    is_set: bool = False
    sentence: Sentence | None = None
    start: str = ""
    shape: schemas.Shape | None = None
    accepts: tuple[str, ...] = ()
    exposed: Exposed | None = None


def form_of(use: NodeUse, kind: AnyNode, problems: list[Problem]) -> list[Field]:
    """All settings in the order of the struct; advanced ones are marked, not moved."""
    schema = kind.settings_schema()
    shape = _resolved(schema, schema.get("$defs", {}))
    faults = field_errors(use, kind, problems)
    found = _fields(shape, schema.get("$defs", {}), use.settings, faults)
    if not use.exposed:
        return found
    return [msgspec.structs.replace(each, exposed=use.exposed.get(each.name)) for each in found]


def takes_values(fields: Sequence[Field]) -> bool:
    """Whether one of them is a text with values or an expression, here or in a row."""
    return any(f.control in ("template", "expression", "condition") or takes_values(f.row) for f in fields)


def field_errors(use: NodeUse, kind: AnyNode, problems: list[Problem]) -> dict[str, str]:
    """Setting -> what to do about it. A setting that was never touched and has no default is "Fill this in."."""
    faults: dict[str, str] = {}
    for field in msgspec.structs.fields(kind.settings):
        name = field.encode_name
        if name not in use.settings:
            if field.required:
                faults[name] = "Fill this in."
            continue
        if "{{" in str(use.settings[name]):
            continue  # a text with holes: what it becomes is known when it runs
        try:
            msgspec.convert(use.settings[name], field.type)
        except msgspec.ValidationError as fault:
            faults[name] = human(str(fault), use.settings[name])
    for problem in problems:
        top = problem.field.partition("[")[0].partition(".")[0]
        if problem.node == use.id and top and top not in faults:
            faults[top] = problem.message
    return faults


def _fields(
    shape: Mapping[str, Any], defs: Mapping[str, Any], values: Mapping[str, Any], faults: Mapping[str, str]
) -> list[Field]:
    required = set(shape.get("required", ()))
    return [
        _field(name, part, defs, values, faults.get(name, ""), name in required)
        for name, part in shape.get("properties", {}).items()
        if not part.get("x-hidden")  # kept by the editor itself: the steps of a group
        and not (part.get("x-superseded") and name not in values)
    ]


def _field(
    name: str, raw: Mapping[str, Any], defs: Mapping[str, Any], values: Mapping[str, Any], error: str, required: bool
) -> Field:
    part = _resolved(raw, defs)
    default = msgspec.to_builtins(raw.get("default", part.get("default")))
    default = list(default) if isinstance(default, tuple) else default
    given = name in values
    value = values[name] if given else default
    shown = raw.get("x-shown-when") or part.get("x-shown-when")
    common: dict[str, Any] = {
        "name": name,
        "label": raw.get("title") or (part.get("title") if "properties" not in part else "") or _plain(name),
        "value": value,
        "default": default,
        "help": raw.get("description") or (part.get("description", "") if "properties" not in part else ""),
        "error": error,
        "required": required,
        "advanced": bool(raw.get("x-advanced") or part.get("x-advanced")),
        "lines": raw.get("x-lines") or part.get("x-lines", 5),
        "unit": raw.get("x-unit") or part.get("x-unit", ""),
        "shown_when": (shown["field"], tuple(shown["values"])) if shown else None,
        "is_set": given and value != default,
    }
    widget = raw.get("x-widget") or part.get("x-widget", "")
    kind = part.get("type")
    if "enum" in part:
        labels = raw.get("x-labels") or part.get("x-labels") or {}
        order = list(labels)  # msgspec sorts the values; the labels stand in the order their author gave them
        values_in_order = sorted(part["enum"], key=lambda v: order.index(str(v)) if str(v) in labels else len(order))
        options = tuple(Option(v, labels.get(str(v)) or _plain(str(v))) for v in values_in_order)
        return Field(**common, control="choice", options=options)
    if widget in BUILT:
        return Field(**common, control=widget, **BUILT[widget](value, raw))
    if widget in CONTROLS and kind not in ("array", "object"):
        limits = _limits(part) if kind in ("integer", "number") else {}
        return Field(**common, control=CONTROLS[widget], **limits)
    if kind in ("integer", "number"):
        return Field(**common, control="number", **_limits(part))
    if kind in ("boolean", "string"):
        text = "multiline" if part.get("maxLength", 0) > LONG else "text"
        return Field(**common, control="yesno" if kind == "boolean" else text)
    if kind == "array":
        item = _resolved(part.get("items", {}), defs)
        if item.get("type") == "string" and "enum" not in item:
            return Field(**common, control="lines")
        if "properties" in item and isinstance(value or [], list):
            row = tuple(_fields(item, defs, {}, {}))
            rows = tuple(tuple(_fields(item, defs, each, {})) for each in value or [] if isinstance(each, dict))
            return Field(**common, control="rows", row=row, rows=rows)
    if kind == "object" and "properties" not in part:
        inner = _resolved(part.get("additionalProperties") or {}, defs)
        if inner.get("type") == "string" and isinstance(value or {}, dict):
            return Field(**common, control="pairs")
    return Field(**common, control="json")


def _sentence(value: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"sentence": read(str(value or "")), "start": (raw.get("x-late") or ["value"])[0]}


def _shape(value: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"shape": schemas.read(value)}


def _file(value: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"accepts": tuple(raw.get("x-accepts", ()))}


BUILT: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    CONDITION: _sentence,
    SCHEMA: _shape,
    FILE: _file,
}
"""Controls that take a value apart: x-widget -> what the Field holds besides."""


def _limits(part: Mapping[str, Any]) -> dict[str, Any]:
    whole = part.get("type") == "integer"
    least, most = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum", part.get("exclusiveMaximum"))
    fine = most is not None and least is not None and most - least <= 10
    return {"least": least, "most": most, "step": "1" if whole else ("0.1" if fine else "any")}


def _resolved(part: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow $ref; of `X | None` take X."""
    if "$ref" in part:
        return {**_resolved(defs.get(part["$ref"].rpartition("/")[2], {}), defs), **_own(part)}
    for key in ("anyOf", "oneOf"):
        if key in part:
            real = [each for each in part[key] if each.get("type") != "null"]
            if len(real) == 1:
                return {**_resolved(real[0], defs), **_own(part)}
            if real and all("const" in each or "enum" in each for each in real):
                return {**_own(part), "enum": [v for each in real for v in each.get("enum", [each.get("const")])]}
    return part


def _own(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in ("$ref", "anyOf", "oneOf")}


def _plain(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]
