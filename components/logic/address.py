"""logic.address: an address at which somebody outside can answer this run, once."""

from typing import Annotated

from msgspec import Meta, Struct

from components.start.signing import (
    Algorithm,
    IdHeader,
    Signature,
    SignatureHeader,
    TimeHeader,
    Tolerance,
    checkable,
)
from flows.sdk import ConnectionRef, Context, NodeError, Nothing, Ports, Secret, node
from flows.sdk.ports import ports_of


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    signature: Signature = "none"
    header: SignatureHeader = "X-Signature"
    algorithm: Algorithm = "sha256"
    stamp_header: TimeHeader = ""
    id_header: IdHeader = ""
    tolerance: Tolerance = 300
    secret: Annotated[
        ConnectionRef,
        Meta(title="Connection", description="Whose key signs the calls. A signature needs this, or a secret."),
    ] = ""
    named: Annotated[
        Secret, Meta(title="Secret", description="Its name under Settings, Secrets, instead of a connection.")
    ] = ""


class Outputs(Struct, frozen=True):
    address: Annotated[str, Meta(title="Address", description="For one POST. Hand it out, then wait for it.")]


def _ports(settings: Settings) -> Ports:
    """Raises NodeError(field="named") for a signature that nothing could check."""
    checkable(settings)
    if settings.signature != "none" and not (settings.secret or settings.named):
        raise NodeError("Choose the secret that signs the calls, or the connection whose key does.", field="named")
    return ports_of(Nothing, Outputs)


def _summary(settings: Settings) -> str:
    return "For one call" if settings.signature == "none" else f"For one call, signed ({settings.signature})"


@node(
    "logic.address",
    version=1,
    title="Webhook address",
    effect="pure",
    icon="link",
    needs=("calls",),
    ports=_ports,
    summary=_summary,
)
async def address(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Gives an address of this run (in a container: of this round) for one call by another program.

    Send it out with any step, and wire it into 'Wait for a webhook'. It may be called before that step waits. A run
    that is resumed behind this step has the address of the run before, where nobody waits any more: resume from here.
    """
    return Outputs(ctx.calls.address())
