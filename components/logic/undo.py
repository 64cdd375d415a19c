"""logic.undo: what to do about a step that is done when the run fails or is cancelled after it."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Context, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True): ...


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(title="Value", description="What the step to be undone gave.")]


class Outputs(Struct, frozen=True):
    value: Annotated[Any, Meta(title="Value", description="The same, when it has to be undone.")]


@node("logic.undo", version=1, title="Undo", effect="pure", icon="undo-2", undo=True)
async def undo(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """The steps behind it run only when the run fails or is cancelled later on: last done, first undone.

    Wire the result of a step into it, and behind it the step that takes that back: "Charge" → "Undo" → "Refund".
    Nothing behind it runs while all goes well. Works in containers, once per round, and in flows that are called.
    """
    return Outputs(inputs.value)
