"""The small language in which a model says what a flow should be: steps, wires, and what goes. Pure.

`schema` is what its answer is constrained to, `described` the palette it may use, derived from the catalogue: a step
that is installed can be drafted, and nothing has to be written here for it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from flows import catalogue
from flows.catalogue import AnyNode
from flows.model import OnError
from flows.sdk.ports import Port, Ports

PRIVATE = frozenset({"secret", "connection"})
"""Widgets whose values belong to this workspace: no model sets or sees them."""
LEFT_OUT = frozenset({"note.group", "logic.flow", "start.after"})
"""Frames hold ids, and the other two name another flow of this workspace, which no model knows."""
MOST_STEPS, MOST_WIRES = 60, 200
"""Of one answer. A larger flow is made in several goes."""
DEEPEST = 4


class StepSaid(Struct, frozen=True):
    """A new step, or (an id that is there) what changes of one. A setting that is null goes back to its default."""

    id: str
    type: str
    label: str | None = None
    settings: dict[str, Any] = {}
    inside: str | None = None
    on_error: OnError | None = None
    tries: Annotated[int, Meta(ge=1, le=10)] | None = None


class WireSaid(Struct, frozen=True, rename={"source": "from", "target": "to"}):
    source: str
    target: str


class Said(Struct, frozen=True):
    """A whole answer. `say`: a sentence for the person. `unwire`: wires that go; those of removed steps go anyway."""

    say: str = ""
    name: str = ""
    steps: list[StepSaid] = []
    wires: list[WireSaid] = []
    remove: list[str] = []
    unwire: list[WireSaid] = []


def drafted() -> dict[str, AnyNode]:
    """The step kinds a model may use, by name."""
    return {name: kind for name, kind in sorted(catalogue.load().items()) if name not in LEFT_OUT}


def schema() -> dict[str, Any]:
    """JSON Schema of an answer."""
    text = {"type": "string"}
    wire = _object({"from": text, "to": text}, ("from", "to"))
    step = {
        "id": text,
        "type": {"type": "string", "enum": list(drafted())},
        "label": text,
        "settings": {"type": "object"},
        "inside": text,
        "on_error": {"type": "string", "enum": ["stop", "wire", "continue"]},
        "tries": {"type": "integer", "minimum": 1, "maximum": 10},
    }
    return _object(
        {
            "say": text,
            "name": text,
            "steps": {"type": "array", "items": _object(step, ("id", "type"))},
            "wires": {"type": "array", "items": wire},
            "remove": {"type": "array", "items": text},
            "unwire": {"type": "array", "items": wire},
        },
        ("say", "steps", "wires"),
    )


def _object(properties: dict[str, Any], required: Iterable[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


@lru_cache(maxsize=1)
def described() -> str:
    """The palette as text for the model: one paragraph a kind, with its ports and settings."""
    return "\n".join(_kind(name, kind) for name, kind in drafted().items())


def _kind(name: str, kind: AnyNode) -> str:
    ports = _ports(kind)
    lines = [f"{name} ({kind.title}): {' '.join(kind.description.partition(chr(10) * 2)[0].split())[:300]}"]
    inputs, outputs = (", ".join(map(_port, each)) for each in (ports.inputs, ports.outputs))
    lines.append(f"  in: {inputs or 'nothing'} | out: {outputs or 'by its settings'}")
    if kind.container:
        lines.append("  holds other steps: give them its id as 'inside'")
    fields = settings_schema(kind).get("properties", {})
    lines += [f"  - {_setting(field, about, kind)}" for field, about in fields.items() if not private(about)]
    return "\n".join(lines)


def _ports(kind: AnyNode) -> Ports:
    try:
        return kind.ports()
    except Exception:  # a kind whose default settings are not complete: the fixed ones
        return kind.static


def _port(port: Port) -> str:
    marks: list[str] = [port.type]
    marks += ["optional"] * (not port.required) + ["many wires"] * port.many
    marks += ["inside"] * port.inside + ["branch"] * port.branch
    return f"{port.name}:{' '.join(marks)}"


def settings_schema(kind: AnyNode) -> dict[str, Any]:
    """The object schema of a kind's settings, its references inlined."""
    whole = kind.settings_schema()
    found = _inlined(whole, whole.get("$defs", {}), 0)
    return found if isinstance(found, dict) else {}


def private(about: dict[str, Any]) -> bool:
    """Whether a setting belongs to the workspace."""
    return about.get("x-widget") in PRIVATE


def _inlined(value: Any, defs: dict[str, Any], depth: int) -> Any:
    if isinstance(value, list):
        return [_inlined(each, defs, depth) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        if depth >= DEEPEST:
            return {"type": "object"}
        return _inlined(defs.get(str(value["$ref"]).rpartition("/")[2], {}), defs, depth + 1)
    return {key: _inlined(each, defs, depth) for key, each in value.items() if key not in ("$defs", "title")}


def _setting(name: str, about: dict[str, Any], kind: AnyNode) -> str:
    more = [about["description"]] if about.get("description") else []
    if about.get("x-widget") in ("template", "expression"):
        more.append("May use {{ }}." if about["x-widget"] == "template" else "An expression.")
    if "default" in about and about["default"] not in ("", [], {}, None):
        more.append(f"Default {_short(about['default'])}.")
    elif name in settings_schema(kind).get("required", ()):
        more.append("Needed.")
    return f"{name}: {_type(about)}. {' '.join(more)}".rstrip()


def _type(about: dict[str, Any]) -> str:
    if "enum" in about:
        return "one of " + ", ".join(map(_short, about["enum"][:30]))
    if "const" in about:
        return _short(about["const"])
    for either in ("anyOf", "oneOf"):
        if about.get(either):
            return " or ".join(dict.fromkeys(_type(each) for each in about[either]))
    match about.get("type"):
        case "array":
            return f"list of {_type(about.get('items') or {})}"
        case "object" if about.get("properties"):
            return "{" + ", ".join(f"{name}: {_type(each)}" for name, each in about["properties"].items()) + "}"
        case str(kind):
            return kind
        case _:
            return "anything"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:59]}…"
