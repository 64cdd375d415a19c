"""start.email: a mail to the flow's own address starts it."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Context, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    senders: Annotated[
        list[str],
        Meta(
            title="Only from",
            description="Addresses or @domains, one a line; empty = from anybody who knows the address.",
            max_length=100,
        ),
    ] = []


class Outputs(Struct, frozen=True):
    text: Annotated[str, Meta(description="The mail's text; of an HTML mail without its tags.")]
    subject: str
    sender: Annotated[str, Meta(description="As the mail says; mail can lie about it.")]
    files: Annotated[list[dict[str, Any]], Meta(description="name, type, size, and base64 while they are small.")]
    mail: Annotated[dict[str, Any], Meta(description="All of it: also to, date, message_id.")]


@node(
    "start.email",
    version=1,
    title="E-mail",
    effect="pure",
    icon="mail",
    trigger="email",
    summary=lambda settings: f"From {', '.join(settings.senders)}" if settings.senders else "From anybody",
)
async def email(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when a mail arrives at its address. The same mail twice starts it once.

    The run's input is {"from", "to", "subject", "text", "date", "message_id", "files"}.
    Automatic replies start nothing.
    """
    given = dict(ctx.input)
    files = [dict(each) for each in given.get("files") or [] if isinstance(each, dict)]
    return Outputs(
        str(given.get("text") or ""), str(given.get("subject") or ""), str(given.get("from") or ""), files, given
    )
