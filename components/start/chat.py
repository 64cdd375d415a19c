"""start.chat: a visitor's message starts the flow."""

from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from flows.sdk import Context, Message, Multiline, NodeError, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    greeting: Annotated[
        Multiline, Meta(title="Greeting", description="Shown before the first message.", max_length=2_000)
    ] = "Hello! How can I help?"
    placeholder: Annotated[str, Meta(title="Placeholder", description="Grey text in the empty field.")] = ""
    suggestions: Annotated[
        list[str], Meta(title="Suggestions", description="Questions to tap on, at most six.", max_length=6)
    ] = []


class Outputs(Struct, frozen=True):
    message: Message
    history: Annotated[list[Message], Meta(description="The turns before this one, oldest first.")]
    conversation: Annotated[str, Meta(description="The same for all messages of one visitor's conversation.")] = ""


@node(
    "start.chat",
    version=1,
    title="Chat message",
    effect="pure",
    icon="message-circle",
    trigger="chat",
    summary=lambda settings: f"“{settings.greeting}”" if settings.greeting else "",
)
async def chat(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when somebody writes in a chat, and hands on the message and the turns before it.

    The run's input is {"message": text, "history": [{"role", "text"}, …], "conversation": id}; `message` must be there.

    Raises NodeError(field="message") when the message is missing or empty.
    """
    text = ctx.input.get("message")
    if not isinstance(text, str) or not text.strip():
        raise NodeError("The message is empty. Write something.", field="message")
    try:
        history = convert(ctx.input.get("history") or [], list[Message])
    except ValidationError as error:
        raise NodeError(f"The history does not fit: {error}.", field="history") from None
    return Outputs(Message(text), history, str(ctx.input.get("conversation") or ""))
