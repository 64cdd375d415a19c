"""start.drop: a file that is dropped starts the flow."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Advanced, Context, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    most_kb: Annotated[int, Meta(ge=1, le=600, title="Largest file, in kB"), Advanced] = 600


class Outputs(Struct, frozen=True):
    name: str
    text: Annotated[str, Meta(description="Its content when it is text.")]
    base64: Annotated[str, Meta(description="Its content when it is not.")]
    file: Annotated[dict[str, Any], Meta(description="name, type, size and content.")]


@node(
    "start.drop",
    version=1,
    title="Dropped file",
    effect="pure",
    icon="folder-input",
    trigger="drop",
    summary=lambda settings: f"Up to {settings.most_kb} kB",
)
async def drop(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow for each file that is sent to its address (PUT) or laid into its folder on the server.

    The run's input is {"name", "type", "size", "text", "base64"}: text that is text, else base64.
    """
    given = dict(ctx.input)
    return Outputs(str(given.get("name") or ""), str(given.get("text") or ""), str(given.get("base64") or ""), given)
