"""text.join: a list of texts in, one text out."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Context, Multiline, NodeError, lines, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    between: Annotated[
        Multiline, Meta(title="Between", description="Put between two items.", max_length=200), lines(2)
    ] = "\n"
    before: Annotated[str, Meta(title="Before each", description="Such as a dash and a blank.", max_length=200)] = ""


class Inputs(Struct, frozen=True):
    items: list[Any]


class Outputs(Struct, frozen=True):
    text: str


@node(
    "text.join",
    version=1,
    title="Join texts",
    effect="pure",
    icon="text",
    summary=lambda settings: f"Each after “{settings.before}”" if settings.before else "",
)
async def join(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Puts a list of texts together, in its order. Numbers are written plainly; empty items are left out.

    Raises NodeError(field="items") for an item that is itself a list or an object.
    """
    for i, item in enumerate(inputs.items):
        if isinstance(item, list | dict):
            kind = "a list" if isinstance(item, list) else "an object"
            raise NodeError(f"Item {i} is {kind}, not a text. Take a text out of it first.", field="items")
    texts = [str(item) for item in inputs.items if item not in (None, "")]
    return Outputs(settings.between.join(settings.before + text for text in texts))
