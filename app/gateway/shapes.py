"""Answers of a fixed shape: what is sent for a schema, how the answer is read, checked, and asked for once more.

Tools for models without tool calls of their own take the same road: the shape is "one of these calls, or an answer".
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flows.sdk.capabilities import Tool, ToolCall
from flows.sdk.values import Message

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.S)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class Wrapped(Struct, frozen=True):
    """A schema as vendors take it: its root is an object. `wrapped`: the value wanted is inside, under "value"."""

    schema: dict[str, Any]
    wrapped: bool

    def unwrap(self, value: Any) -> Any:
        return value["value"] if self.wrapped and isinstance(value, dict) and "value" in value else value


def wrap(schema: dict[str, Any]) -> Wrapped:
    if schema.get("type", "object") == "object" and not ({"anyOf", "oneOf", "enum", "const", "$ref"} & schema.keys()):
        return Wrapped(schema, False)
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    outer: dict[str, Any] = {
        "type": "object",
        "properties": {"value": inner},
        "required": ["value"],
        "additionalProperties": False,
    }
    if "$defs" in schema:
        outer["$defs"] = schema["$defs"]
    return Wrapped(outer, True)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes it: every object closed, all its properties required."""
    if isinstance(schema, list):
        return all(is_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if "properties" in schema or schema.get("type") == "object":
        properties = schema.get("properties")
        if not properties or schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(properties):
            return False
    return all(is_strict(part) for part in schema.values() if isinstance(part, dict | list))


def read_json(text: str) -> Any:
    """The JSON in a model's text: the whole, inside a code fence, or from the first bracket to its last partner.

    Raises ValueError with a sentence for the model when there is none.
    """
    candidates = [text.strip(), *(part.strip() for part in _FENCE.findall(text))]
    for opening, closing in ("{}", "[]"):
        first, last = text.find(opening), text.rfind(closing)
        if 0 <= first < last:
            candidates.append(text[first : last + 1])
    for candidate in candidates:
        try:
            return msgspec.json.decode(candidate)
        except msgspec.DecodeError:
            continue
    raise ValueError("It is not JSON.")


def check(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "the answer") -> str:
    """What is wrong with `value`, as a sentence, or "". Covers what models are asked for, not all of JSON Schema."""
    root = root or schema
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return check(value, root.get("$defs", {}).get(name, {}), root, at)
    if "const" in schema and value != schema["const"]:
        return f"{at} must be {schema['const']!r}."
    if "enum" in schema and value not in schema["enum"]:
        return f"{at} must be one of {', '.join(map(repr, schema['enum']))}."
    for either in ("anyOf", "oneOf"):
        if schema.get(either):
            problems = [check(value, option, root, at) for option in schema[either]]
            if all(problems):
                return problems[0]
    return _check_type(value, schema, at) or _check_inside(value, schema, root, at)


def _check_type(value: Any, schema: dict[str, Any], at: str) -> str:
    wanted = schema.get("type")
    kinds = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    for kind in kinds:
        if isinstance(value, _TYPES.get(kind, (object,))) and not (
            isinstance(value, bool) and kind in ("integer", "number")
        ):
            break
        if kind == "integer" and isinstance(value, float) and value.is_integer():
            break
    else:
        if kinds:
            return f"{at} must be of type {' or '.join(map(str, kinds))}."
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            return f"{at} must be at least {schema['minimum']}."
        if value > schema.get("maximum", value):
            return f"{at} must be at most {schema['maximum']}."
    return ""


def _check_inside(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> str:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                return f"{at} lacks '{name}'."
        if schema.get("additionalProperties") is False and (extra := value.keys() - properties.keys()):
            return f"{at} must not have '{min(extra)}'."
        for name, part in properties.items():
            if name in value and (problem := check(value[name], part, root, f"'{name}'")):
                return problem
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return f"{at} needs at least {schema['minItems']} entries."
        for i, item in enumerate(value):
            if problem := check(item, schema.get("items") or {}, root, f"{at}, entry {i + 1},"):
                return problem
    return ""


def parse(text: str, shape: Wrapped) -> Any:
    """The value in the model's text. Raises ValueError with a sentence that tells the model what to correct."""
    value = read_json(text)
    problem = check(value, shape.schema)
    if problem:
        raise ValueError(problem)
    return shape.unwrap(value)


def repair(messages: Sequence[Message], text: str, problem: str, schema: dict[str, Any]) -> list[Message]:
    """The conversation that asks once more, with what was wrong."""
    wanted = msgspec.json.encode(schema).decode()
    return [
        *messages,
        Message(text, role="assistant"),
        Message(f"{problem} Answer again, with nothing but JSON that fits this JSON Schema: {wanted}"),
    ]


def tool_schema(tools: Sequence[Tool], answer: dict[str, Any] | None) -> dict[str, Any]:
    """One of the calls, or the answer: for models that have no tool calls of their own."""
    calls = [
        {
            "type": "object",
            "properties": {"tool": {"const": tool.name}, "arguments": tool.parameters},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    final = {
        "type": "object",
        "properties": {"answer": answer or {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    return {"anyOf": [*calls, final]}


def tool_instructions(tools: Sequence[Tool]) -> Message:
    listed = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {msgspec.json.encode(tool.parameters).decode()}"
        for tool in tools
    )
    return Message(
        f"You can use these tools:\n{listed}\nAnswer with JSON only: "
        '{"tool": name, "arguments": {…}} to use a tool, or {"answer": …} when you know the answer.',
        role="system",
    )


def read_tool_answer(value: Any, tools: Sequence[Tool]) -> tuple[str, Any, tuple[ToolCall, ...]]:
    """(text, data, calls) out of a value of `tool_schema`'s shape."""
    if isinstance(value, dict) and value.get("tool") in {tool.name for tool in tools}:
        arguments = value.get("arguments")
        return "", None, (ToolCall("call_0", value["tool"], arguments if isinstance(arguments, dict) else {}),)
    answer = value.get("answer", value) if isinstance(value, dict) else value
    return (answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()), answer, ()
