"""logic.flow: another flow as one step."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Context, FlowRef, Json, NodeError, Port, Ports, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    flow: Annotated[FlowRef, Meta(title="Flow", description="A published version; it stays at that version.")] = ""
    fields: Annotated[
        list[Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]],
        Meta(title="Inputs", description="Names of the values handed over; each is an input here.", max_length=40),
    ] = []


class Inputs(Struct, frozen=True):
    input: Annotated[dict[str, Any], Meta(title="Input", description="All values at once; may be left out.")] = {}
    values: dict[str, Json] = {}


class Outputs(Struct, frozen=True):
    text: str
    data: Any


def _ports(settings: Settings) -> Ports:
    fixed = Port("input", "object", "Input", "All values at once; may be left out.", required=False)
    named = tuple(Port(name, "any", name, required=False) for name in dict.fromkeys(settings.fields) if name != "input")
    return Ports((fixed, *named), (Port("text", "text", "Text"), Port("data", "any", "Data")))


@node(
    "logic.flow",
    version=1,
    title="Run a flow",
    icon="workflow",
    subflow=True,
    ports=_ports,
    summary=lambda settings: ", ".join(settings.fields),
)
async def flow(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Runs a published flow with these inputs and hands on its answer. It may wait, fail and be resumed like any step.

    Named inputs go before those of 'Input'. Text and data are those of the answer step that finishes first.

    Raises NodeError(field="flow") when none is chosen, when it fails, or when flows call each other too deep.
    """
    if not settings.flow:
        raise NodeError("No flow is chosen. Choose one under 'Flow'.", field="flow")
    result = await ctx.flow(settings.flow, {**inputs.input, **inputs.values})
    if isinstance(result, dict):
        return Outputs(str(result.get("text") or ""), result.get("data"))
    return Outputs(result if isinstance(result, str) else "", result)
