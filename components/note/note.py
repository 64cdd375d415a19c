"""note.note: a remark for people."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, Multiline, Nothing, lines, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[Multiline, Meta(title="Text", description="Markdown.", max_length=10_000), lines(6)] = ""
    colour: Annotated[Literal["yellow", "blue", "green", "grey"], Meta(title="Colour")] = "yellow"


@node("note.note", version=1, title="Note", effect="pure", icon="sticky-note", summary=lambda settings: settings.text)
async def note(settings: Settings, inputs: Nothing, ctx: Context) -> Nothing:
    """A note on the canvas. It is never run and takes no wires."""
    return Nothing()
