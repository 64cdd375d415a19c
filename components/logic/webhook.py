"""logic.webhook: wait until the address of this run is called."""

from hashlib import blake2b
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flows.sdk import Context, NodeError, Port, Ports, Wait, node

HOUR = 3_600
PLACE = "/calls/"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    hours: Annotated[
        Annotated[float, Meta(gt=0, le=24 * 365)] | None,
        Meta(title="Longest wait, in hours", description="Empty = no limit. Then it goes on along 'Too late'."),
    ] = None


class Inputs(Struct, frozen=True):
    address: Annotated[str, Meta(title="Address", description="From the step 'Webhook address'.")]
    value: Annotated[Any, Meta(title="Value", description="Goes on along 'Too late' when nobody calls.")] = None


class Outputs(Struct, frozen=True):
    received: Annotated[Any | UnsetType, Meta(title="Received")] = UNSET
    late: Annotated[Any | UnsetType, Meta(title="Too late")] = UNSET
    query: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    address: str = ""


def _ports(settings: Settings) -> Ports:
    inputs = (
        Port("address", "text", "Address", "From the step 'Webhook address'."),
        Port("value", "any", "Value", "Goes on along 'Too late' when nobody calls.", required=False),
    )
    outputs = (
        Port("received", "any", "Received", "The body: read as JSON when it is JSON, else the text.", branch=True),
        Port("late", "any", "Too late", branch=True),
        Port("query", "object", "Query"),
        Port("headers", "object", "Headers"),
        Port("address", "text", "Address"),
    )
    return Ports(inputs, outputs)


def signal_of(address: str) -> str:
    """The name of the signal that a call of this address is, whatever host stands before it.

    Raises NodeError(field="address") for what is no address of the step 'Webhook address'.
    """
    _, place, token = address.partition(PLACE)
    if not place or not token:
        raise NodeError("This is no address of the step 'Webhook address'. Wire that step in here.", field="address")
    return f"call.{blake2b(token.encode(), digest_size=12).hexdigest()}"


@node(
    "logic.webhook",
    version=1,
    title="Wait for a webhook",
    effect="pure",
    icon="webhook",
    waits=True,
    ports=_ports,
    summary=lambda settings: "" if settings.hours is None else f"at most {settings.hours:g} h",
)
async def webhook(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    """Waits, without holding a worker, until the address is called; the body goes on along 'Received'.

    A call that came before the wait began counts. The first call counts, others change nothing.
    """
    name = signal_of(inputs.address)
    if ctx.signal is None:
        return Wait(
            seconds=None if settings.hours is None else settings.hours * HOUR,
            signal=name,
            title="Waits for a call from outside",
            asks=False,
        )
    if ctx.signal.name != name:
        return Outputs(late=inputs.value, address=inputs.address)
    said = ctx.signal.data if isinstance(ctx.signal.data, dict) else {}
    return Outputs(
        received=said.get("body"), query=said.get("query") or {}, headers=said.get("headers") or {},
        address=inputs.address,
    )  # fmt: skip
