"""start.form: a filled-in form starts the flow."""

from typing import Annotated

from msgspec import Meta, Struct, field

from components.start.fields import Field, ports_for, read_fields
from flows.sdk import Context, Json, Multiline, Nothing, Port, Ports, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(title="Title")] = ""
    intro: Annotated[Multiline, Meta(title="Introduction", description="Shown above the fields.")] = ""
    fields: Annotated[list[Field], Meta(title="Fields", min_length=1, max_length=40)] = field(
        default_factory=lambda: [Field("text", "Text", "long text")]
    )
    button: Annotated[str, Meta(title="Button", min_length=1)] = "Send"


class Outputs(Struct, frozen=True):
    fields: dict[str, Json]
    values: dict[str, Json]


def _ports(settings: Settings) -> Ports:
    return ports_for(settings.fields, Port("fields", "object", "All fields"))


@node(
    "start.form",
    version=1,
    title="Form",
    effect="pure",
    icon="text-cursor-input",
    trigger="form",
    ports=_ports,
    summary=lambda settings: ", ".join(f.label or f.name for f in settings.fields),
)
async def form(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when somebody sends a form. Every field is an output; an empty optional field stays silent.

    Raises NodeError that names the field when a required one is empty or a value does not fit its kind.
    """
    values = read_fields(settings.fields, ctx.input)
    return Outputs(values, values)
