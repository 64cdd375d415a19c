"""What the fake OpenAI-compatible server is told to answer, and what it answers when nobody told it."""

from typing import Any

import msgspec
from msgspec import Struct, field


class ScriptedCall(Struct, frozen=True):
    """A tool call in an answer. `arguments` is sent as the JSON text that vendors send."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """One scripted answer.

    `text` None = the default answer (an echo, or a value that fits the schema asked for).
    `first_token_ms` passes before the first byte of the body, `tokens_per_second` paces the rest (0 = no pause).
    `status` other than 200 sends `error` (or a message of the usual kind) with `retry_after` seconds as header.
    `cut_after` closes a stream after that many pieces, without finish reason and without [DONE].
    `malformed`: the body is not JSON. `hang` never answers. `usage` None = counted by words; False = left out.
    """

    text: str | None = None
    tool_calls: list[ScriptedCall] = field(default_factory=list)
    status: int = 200
    error: str | dict[str, Any] = ""
    retry_after: float | None = None
    first_token_ms: float = 0
    tokens_per_second: float = 0
    cut_after: int | None = None
    malformed: bool = False
    hang: bool = False
    finish_reason: str = "stop"
    usage: tuple[int, int] | bool = True


class Model(Struct, frozen=True):
    """One entry of /v1/models. Prices are US dollars per token as text, the way OpenRouter writes them."""

    id: str
    prompt_usd: str = ""
    completion_usd: str = ""
    context: int = 0
    tools: bool = True
    embeds: bool = False


class Settings(Struct, forbid_unknown_fields=True):
    """The standing behaviour: `queue` is used up first, one answer a call; then `default` answers for ever."""

    queue: list[Answer] = field(default_factory=list)
    default: Answer = Answer()
    keys: list[str] = field(default_factory=list)
    models: list[Model] = field(
        default_factory=lambda: [
            Model("fake-small", prompt_usd="0.000001", completion_usd="0.000002", context=8192),
            Model("fake-large", prompt_usd="0.00001", completion_usd="0.00003", context=128_000),
            Model("fake-free", context=4096, tools=False),
            Model("fake-embed", prompt_usd="0.0000001", embeds=True, context=512),
        ]
    )
    embedding_size: int = 8


class SeenCall(Struct, frozen=True):
    """One request as it arrived. `key` is the bearer key, so that a test can see which connection was used."""

    path: str
    key: str
    body: dict[str, Any]
    status: int


def example_of(schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that fits a JSON Schema of the kind models are given: types, enum, const, anyOf/oneOf, $defs by $ref."""
    return _example(schema, schema.get("$defs", {}), depth)


def _example(schema: dict[str, Any], defs: dict[str, Any], depth: int) -> Any:
    if depth > 12:
        return None
    if "$ref" in schema:
        return _example(defs.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), defs, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for either in ("anyOf", "oneOf"):
        if schema.get(either):
            return _example(schema[either][0], defs, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {name: _example(part, defs, depth + 1) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        count = max(1, int(schema.get("minItems", 1)))
        return [_example(schema.get("items", {}), defs, depth + 1) for _ in range(count)]
    simple: dict[str, Any] = {
        "integer": int(schema.get("minimum", 1)),
        "number": float(schema.get("minimum", 1)),
        "boolean": True,
        "null": None,
    }
    return simple.get(str(kind), "text")


def default_text(body: dict[str, Any]) -> str:
    """Without a script: a value that fits the schema asked for, else an echo of the last user message."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return msgspec.json.encode(example_of(wanted["json_schema"]["schema"])).decode()
    said = [m.get("content") or "" for m in body.get("messages", []) if m.get("role") == "user"]
    return f"You said: {said[-1] if said else ''}"


def pieces_of(text: str) -> list[str]:
    """The text cut before each space: one piece stands for one token."""
    pieces: list[str] = []
    for word in text.split(" "):
        pieces.append(word if not pieces else f" {word}")
    return pieces


def words_in(body: dict[str, Any]) -> int:
    """Prompt tokens by our count: words of all messages (or of the embedding input), at least 1."""
    texts = [str(m.get("content") or "") for m in body.get("messages", [])]
    given = body.get("input")
    texts += [given] if isinstance(given, str) else list(given or [])
    return max(1, sum(len(text.split()) for text in texts))
