"""ai.prompt: a text made of a pattern and values."""

from typing import Annotated

from msgspec import Meta, Struct

from flows.sdk import Context, Nothing, Template, lines, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    template: Annotated[
        Template,
        Meta(
            title="Prompt",
            description="Write {{ name }} where a value goes: 'name' becomes an input.",
            max_length=50_000,
        ),
        lines(8),
    ] = ""


class Outputs(Struct, frozen=True):
    text: str


@node(
    "ai.prompt",
    version=1,
    title="Prompt",
    effect="pure",
    icon="square-pen",
    summary=lambda settings: settings.template[:80],
)
async def prompt(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Fills values into a text. Every {{ name }} in it is an input of this step.

    Numbers are written plainly, yes/no as words, lists and objects as JSON. A value that is missing stops the step with
    its name; {{ input.… }} reads what the run was started with.
    """
    return Outputs(settings.template)
