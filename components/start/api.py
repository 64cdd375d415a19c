"""start.api: a program starts the flow with named values."""

from typing import Annotated

from msgspec import Meta, Struct

from components.start.fields import Field, ports_for, read_fields
from flows.sdk import Context, Json, Nothing, Port, Ports, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    fields: Annotated[list[Field], Meta(title="Inputs", description="Checked before the run.", max_length=60)] = []


class Outputs(Struct, frozen=True):
    input: dict[str, Json]
    values: dict[str, Json]


def _ports(settings: Settings) -> Ports:
    return ports_for(settings.fields, Port("input", "object", "Whole input"))


@node(
    "start.api",
    version=1,
    title="API call",
    effect="pure",
    icon="terminal",
    trigger="api",
    ports=_ports,
    summary=lambda settings: ", ".join(f.name for f in settings.fields) or "Any input",
)
async def api(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow by API, command line, schedule, or as a flow in a flow. Each named input is an output here.

    Raises NodeError that names the input when a required one is missing or does not fit its kind.
    """
    return Outputs(dict(ctx.input), read_fields(settings.fields, ctx.input))
