"""start.event: something that happened in the workspace starts the flow."""

import re
from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Context, NodeError, Nothing, Ports, lines, node
from flows.sdk.holes import vars_in
from flows.sdk.ports import ports_of

KIND = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,98}(\.\*)?|\*")


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    kinds: Annotated[
        list[str],
        Meta(title="Events", description="Kinds such as flow.published or card.*; one a line.", max_length=20),
    ] = []
    condition: Annotated[
        str,
        Meta(
            title="Only if",
            description="Such as event.data.by == 'Mara', or event.data.stars < vars.fewest. Empty = always.",
            max_length=2_000,
        ),
        lines(2),
    ] = ""


class Outputs(Struct, frozen=True):
    event: Annotated[dict[str, Any], Meta(description="number, topic, type, data, at.")]
    type: str
    data: Any


def _ports(settings: Settings) -> Ports:
    """Raises NodeError for kinds that can't be read: such a trigger would never fire."""
    if not settings.kinds:
        raise NodeError("Say which events start this flow, such as flow.published.", field="kinds")
    for kind in settings.kinds:
        if not KIND.fullmatch(kind):
            raise NodeError(f"'{kind}' is no kind of event. Write it like flow.published or card.*.", field="kinds")
    return ports_of(Nothing, Outputs)


@node(
    "start.event",
    version=1,
    title="Event",
    effect="pure",
    icon="radio",
    trigger="event",
    ports=_ports,
    summary=lambda settings: ", ".join(settings.kinds),
    reads=lambda settings: vars_in(settings.condition),
)
async def event(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow when something happens in the workspace: each event of its kinds once, in their order.

    The condition knows `event` and the workspace's variables, as `vars.name`. The run's input is
    {"event": {"number", "topic", "type", "data", "at"}}. Events that a run of this flow causes may
    start it again, eight times in a row at most.
    """
    given = dict(ctx.input.get("event") or {})
    return Outputs(given, str(given.get("type") or ""), given.get("data"))
