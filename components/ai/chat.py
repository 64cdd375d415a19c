"""ai.chat: a language model answers."""

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import (
    Advanced,
    ChatReply,
    ChatRequest,
    Context,
    Json,
    Message,
    ModelRef,
    NodeError,
    Port,
    Ports,
    PortType,
    Schema,
    Slider,
    Superseded,
    Template,
    lines,
    node,
)

FieldKind = Literal["text", "number", "yes/no", "list of texts", "object"]
SCHEMA: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "yes/no": {"type": "boolean"},
    "list of texts": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}
TYPE: dict[str, PortType] = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "yesno",
    "array": "list",
    "object": "object",
}
NAME = re.compile(r"[A-Za-z_]\w{0,39}")
"""Fields of such a name are outputs of their own; the others are parts of 'All fields'."""
FIXED = frozenset({"text", "data", "model", "error"})


class AnswerField(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$", title="Name")]
    kind: Annotated[FieldKind, Meta(title="Kind")] = "text"
    description: Annotated[str, Meta(title="Meaning", description="Tells the model what belongs here.")] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    model: Annotated[ModelRef, Meta(title="Model", description="Empty = the model of this workspace.")] = ""
    instructions: Annotated[
        Template,
        Meta(title="Instructions", description="Who the model is and how it answers.", max_length=50_000),
        lines(6),
    ] = ""
    answer: Annotated[Schema, Meta(title="Fixed answer shape", description="Later steps can use each field.")] = {}
    answer_fields: Annotated[
        list[AnswerField],
        Meta(title="Fields of the answer", description="Used while 'Fixed answer shape' is empty.", max_length=30),
        Superseded,
    ] = []
    remember: Annotated[
        int, Meta(ge=0, le=200, title="Turns remembered", description="0 = answers without memory.")
    ] = 20
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(title="Creativity", description="0 = always alike, 2 = wild; empty = the model's own."),
        Slider,
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1, le=200_000)] | None, Meta(title="Longest answer, in tokens"), Advanced
    ] = None


class Inputs(Struct, frozen=True):
    message: Annotated[Message, Meta(description="What the model is asked.")]
    history: Annotated[list[Message], Meta(description="The turns before, oldest first.")] = []


class Outputs(Struct, frozen=True):
    text: str
    data: dict[str, Json]
    model: Annotated[str, Meta(description="The model that answered.")]
    values: dict[str, Json]


def _ports(settings: Settings) -> Ports:
    inputs = (
        Port("message", "message", "Message", "What the model is asked."),
        Port("history", "list", "History", "The turns before, oldest first.", required=False),
    )
    schema = _schema(settings)
    outputs = [Port("text", "text", "Answer"), Port("model", "text", "Model")]
    if schema is None:
        return Ports(inputs, tuple(outputs))
    names = [field.name for field in settings.answer_fields] if not settings.answer else list(_properties(schema))
    for name in names:
        if name in FIXED or names.count(name) > 1:
            raise NodeError(f"The answer field '{name}' is taken. Choose another name.", field=_field(settings))
    outputs.insert(1, Port("data", "object", "All fields"))
    named = [(name, part) for name, part in _properties(schema).items() if NAME.fullmatch(name)]
    return Ports(inputs, (*outputs, *(_port(name, part) for name, part in named)))


def _port(name: str, part: Any) -> Port:
    kind = part.get("type") if isinstance(part, dict) else ""
    about = part.get("description") if isinstance(part, dict) else ""
    return Port(name, TYPE.get(kind, "any") if isinstance(kind, str) else "any", name, str(about or ""))


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _field(settings: Settings) -> str:
    return "answer" if settings.answer else "answer_fields"


def _schema(settings: Settings) -> dict[str, Any] | None:
    """The shape asked for; None for an answer in free words."""
    fields = settings.answer_fields
    if settings.answer or not fields:
        return settings.answer or None
    return {
        "type": "object",
        "properties": {
            f.name: SCHEMA[f.kind] | ({"description": f.description} if f.description else {}) for f in fields
        },
        "required": [f.name for f in fields],
        "additionalProperties": False,
    }


@node(
    "ai.chat",
    version=1,
    title="Language model",
    effect="repeatable_costed",
    icon="sparkles",
    needs=("llm",),
    timeout=300,
    ports=_ports,
    summary=lambda settings: settings.instructions[:80],
)
async def chat(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Asks a language model and streams its answer.

    The model reads the instructions, then the last `remember` turns of the history, then the message. With a fixed
    answer shape the answer is one object with these fields; each is an output, and nothing is streamed.

    Raises NodeError when the model can't be reached or refuses, and NodeError(field="answer") when its answer
    does not have the shape asked for.
    """
    request = ChatRequest(
        messages=_messages(settings, inputs),
        model=settings.model,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        schema=_schema(settings),
    )
    if request.schema is not None:
        reply = await ctx.llm.chat(request)
        data = _shaped(reply, settings, request.schema)
        return Outputs(reply.text, data, reply.model, data)
    whole: ChatReply | None = None
    async for piece in ctx.llm.stream(request):
        if isinstance(piece, str):
            ctx.say(piece)
        else:
            whole = piece
    if whole is None:
        raise NodeError("The model stopped in the middle of its answer. Try again.", retry=True)
    return Outputs(whole.text, {}, whole.model, {})


def _messages(settings: Settings, inputs: Inputs) -> list[Message]:
    before = inputs.history[-settings.remember :] if settings.remember else []
    system = [Message(settings.instructions, "system")] if settings.instructions.strip() else []
    return [*system, *before, inputs.message]


def _shaped(reply: ChatReply, settings: Settings, schema: dict[str, Any]) -> dict[str, Json]:
    """The fields of the shape, None for one that may be missing and is."""
    if not isinstance(reply.data, dict):
        raise NodeError(
            f"The model '{reply.model}' did not answer in the shape asked for. Choose a larger model, or fewer fields.",
            field=_field(settings),
            retry=True,
        )
    needed = schema.get("required")
    missing = [str(name) for name in (needed if isinstance(needed, list) else ()) if name not in reply.data]
    if missing:
        raise NodeError(
            f"The model's answer lacks {', '.join(missing)}. Describe these fields better, or choose a larger model.",
            field=_field(settings),
            retry=True,
        )
    return {name: reply.data.get(name) for name in _properties(schema)} or dict(reply.data)
