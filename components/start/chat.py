"""start.chat: a visitor's message starts the flow."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert

from flows.sdk import Context, File, Message, Multiline, NodeError, Nothing, Port, Ports, node

MOST_FILES = 10
"""With one message."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    greeting: Annotated[
        Multiline, Meta(title="Greeting", description="Shown before the first message.", max_length=2_000)
    ] = "Hello! How can I help?"
    placeholder: Annotated[str, Meta(title="Placeholder", description="Grey text in the empty field.")] = ""
    suggestions: Annotated[
        list[str], Meta(title="Suggestions", description="Questions to tap on, at most six.", max_length=6)
    ] = []
    files: Annotated[
        bool,
        Meta(
            title="Takes files", description="Whoever writes can attach files: in tries and by API, not yet on sites."
        ),
    ] = False


class Outputs(Struct, frozen=True):
    message: Message
    history: Annotated[list[Message], Meta(description="The turns before this one, oldest first.")]
    conversation: Annotated[str, Meta(description="The same for all messages of one visitor's conversation.")] = ""
    files: Annotated[list[File] | UnsetType, Meta(description="What came with the message.")] = UNSET


def _ports(settings: Settings) -> Ports:
    fixed = (
        Port("message", "message", "Message"),
        Port("history", "list", "History", "The turns before this one, oldest first."),
        Port("conversation", "text", "Conversation", "The same for all messages of one visitor's conversation."),
    )
    files = (Port("files", "list", "Files", "What came with the message, [] = nothing."),) if settings.files else ()
    return Ports((), fixed + files)


@node(
    "start.chat",
    version=1,
    title="Chat message",
    effect="pure",
    icon="message-circle",
    trigger="chat",
    ports=_ports,
    summary=lambda settings: f"“{settings.greeting}”" if settings.greeting else "",
)
async def chat(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when somebody writes in a chat, and hands on the message and the turns before it.

    The run's input is {"message": text, "history": [{"role", "text"}, …], "conversation": id, "files": [file, …]};
    `message` must be there, unless files are. Files count where the step takes them, at most ten.

    Raises NodeError(field="message") when the message is missing or empty, and (field="files") for what is no file.
    """
    files = _files(ctx.input.get("files")) if settings.files else UNSET
    text = ctx.input.get("message") or ("" if files else None)
    if not isinstance(text, str) or not (text.strip() or files):
        raise NodeError("The message is empty. Write something.", field="message")
    try:
        history = convert(ctx.input.get("history") or [], list[Message])
    except ValidationError as error:
        raise NodeError(f"The history does not fit: {error}.", field="history") from None
    return Outputs(Message(text), history, str(ctx.input.get("conversation") or ""), files)


def _files(given: object) -> list[File]:
    try:
        found = convert(given or [], list[File])
    except ValidationError as error:
        raise NodeError(f"The files do not fit: {error}. Attach them anew.", field="files") from None
    if len(found) > MOST_FILES:
        raise NodeError(f"{len(found)} files came; at most {MOST_FILES} go with one message.", field="files")
    return found
