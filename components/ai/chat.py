"""ai.chat: a language model answers."""

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
    Slider,
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
PORT: dict[str, PortType] = {
    "text": "text",
    "number": "number",
    "yes/no": "yesno",
    "list of texts": "list",
    "object": "object",
}
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
    answer_fields: Annotated[
        list[AnswerField],
        Meta(title="Fixed answer shape", description="Later steps can use each field.", max_length=30),
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
    fields = settings.answer_fields
    for name in (field.name for field in fields):
        if name in FIXED or [field.name for field in fields].count(name) > 1:
            raise NodeError(f"The answer field '{name}' is taken. Choose another name.", field="answer_fields")
    outputs = [Port("text", "text", "Answer"), Port("model", "text", "Model")]
    if fields:
        outputs.insert(1, Port("data", "object", "All fields"))
    return Ports(inputs, (*outputs, *(Port(f.name, PORT[f.kind], f.name, f.description) for f in fields)))


def _schema(fields: list[AnswerField]) -> dict[str, Any]:
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

    Raises NodeError when the model can't be reached or refuses, and NodeError(field="answer_fields") when its answer
    does not have the shape asked for.
    """
    request = ChatRequest(
        messages=_messages(settings, inputs),
        model=settings.model,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        schema=_schema(settings.answer_fields) if settings.answer_fields else None,
    )
    if settings.answer_fields:
        reply = await ctx.llm.chat(request)
        ctx.record(reply.usage)
        data = _shaped(reply, settings.answer_fields)
        return Outputs(reply.text, data, reply.model, data)
    whole: ChatReply | None = None
    async for piece in ctx.llm.stream(request):
        if isinstance(piece, str):
            ctx.say(piece)
        else:
            whole = piece
    if whole is None:
        raise NodeError("The model stopped in the middle of its answer. Try again.", retry=True)
    ctx.record(whole.usage)
    return Outputs(whole.text, {}, whole.model, {})


def _messages(settings: Settings, inputs: Inputs) -> list[Message]:
    before = inputs.history[-settings.remember :] if settings.remember else []
    system = [Message(settings.instructions, "system")] if settings.instructions.strip() else []
    return [*system, *before, inputs.message]


def _shaped(reply: ChatReply, fields: list[AnswerField]) -> dict[str, Json]:
    if not isinstance(reply.data, dict):
        raise NodeError(
            f"The model '{reply.model}' did not answer in the shape asked for. Choose a larger model, or fewer fields.",
            field="answer_fields",
            retry=True,
        )
    missing = [field.name for field in fields if field.name not in reply.data]
    if missing:
        raise NodeError(
            f"The model's answer lacks {', '.join(missing)}. Describe these fields better, or choose a larger model.",
            field="answer_fields",
            retry=True,
        )
    return {field.name: reply.data[field.name] for field in fields}
