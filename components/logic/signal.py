"""logic.signal: wait until something outside says that it is time."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flows.sdk import Context, NodeError, Port, Ports, Wait, node

HOUR = 3_600
TAKEN = frozenset({"time", "approval"})
"""Names that mean something else: the clock, and a person's answer."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[
        str,
        Meta(
            title="Name of the signal",
            description="Whoever sends it names the run and this.",
            pattern="^[a-z][a-z0-9_.-]{0,79}$",
        ),
    ] = "continue"
    hours: Annotated[
        Annotated[float, Meta(gt=0, le=24 * 365)] | None,
        Meta(title="Longest wait, in hours", description="Empty = no limit. Then it goes on along 'Too late'."),
    ] = None


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(title="Value", description="Goes on along 'Too late' when nothing comes.")] = None


class Outputs(Struct, frozen=True):
    received: Annotated[Any | UnsetType, Meta(title="Received", description="What the signal brought.")] = UNSET
    late: Annotated[Any | UnsetType, Meta(title="Too late")] = UNSET
    by: Annotated[str, Meta(title="Sent by")] = ""


def _ports(settings: Settings) -> Ports:
    """Raises NodeError(field="name") for a name that means something else."""
    if settings.name in TAKEN:
        raise NodeError(f"'{settings.name}' is no name for a signal of yours. Choose another.", field="name")
    inputs = (Port("value", "any", "Value", "Goes on along 'Too late' when nothing comes.", required=False),)
    outputs = (
        Port("received", "any", "Received", "What the signal brought.", branch=True),
        Port("late", "any", "Too late", branch=True),
        Port("by", "text", "Sent by"),
    )
    return Ports(inputs, outputs)


@node(
    "logic.signal",
    version=1,
    title="Wait for a signal",
    effect="pure",
    icon="radio",
    waits=True,
    ports=_ports,
    summary=lambda settings: settings.name,
)
async def signal(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    """Waits, without holding a worker, until something outside sends this run a signal of this name.

    It is sent with `POST /api/v1/runs/{run}/signals/{name}`; `data` of that call is what goes on along 'Received'. A
    signal that came before the step began to wait counts.
    """
    if ctx.signal is None:
        return Wait(
            seconds=None if settings.hours is None else settings.hours * HOUR,
            signal=settings.name,
            title=f"Waits for the signal “{settings.name}”",
            asks=False,
        )
    if ctx.signal.name != settings.name:
        return Outputs(late=inputs.value)
    return Outputs(received=ctx.signal.data, by=ctx.signal.by)
