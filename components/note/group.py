"""note.group: a frame around steps that belong together."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, Nothing, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    colour: Annotated[Literal["grey", "yellow", "blue", "green", "red"], Meta(title="Colour")] = "grey"
    folded: Annotated[bool, Meta(title="Folded", description="Only the title is shown.")] = False
    members: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(title="Steps in it", max_length=5_000, extra_json_schema={"x-hidden": True}),
    ] = []


@node("note.group", version=1, title="Group", effect="pure", icon="group", summary=lambda settings: "")
async def group(settings: Settings, inputs: Nothing, ctx: Context) -> Nothing:
    """A titled frame around steps that belong together. It changes nothing about how they run.

    A step lies in at most one group; groups may lie in groups. Folded, only the title is seen, and wires end at its
    edge. Deleting a group leaves its steps where they are.
    """
    return Nothing()
