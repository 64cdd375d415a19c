"""start.webhook: an HTTP request to the flow's own address starts it."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    answer: Annotated[
        Literal["result", "at once"],
        Meta(title="Answer", description="'result': the caller waits for the answer step. 'at once': 202, runs after."),
    ] = "result"


class Outputs(Struct, frozen=True):
    body: Annotated[Any, Meta(description="Read as JSON when it is JSON, else the text.")]
    query: dict[str, Any]
    headers: dict[str, Any]
    method: str


@node(
    "start.webhook",
    version=1,
    title="Webhook",
    effect="pure",
    icon="webhook",
    trigger="webhook",
    summary=lambda settings: "Waits for the result" if settings.answer == "result" else "Answers at once",
)
async def webhook(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when another program calls its address, and hands on what it sent.

    The run's input is {"method", "headers", "query", "body"}; names of headers are in small letters.
    """
    given = ctx.input
    return Outputs(
        given.get("body"),
        dict(given.get("query") or {}),
        dict(given.get("headers") or {}),
        given.get("method") or "POST",
    )
