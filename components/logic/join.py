"""logic.join: several ways become one again."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from flows.sdk import Context, Ended, Port, Ports, many, node, shown_when


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    policy: Annotated[
        Literal["all", "any", "first", "n", "settled"],
        Meta(
            title="Goes on",
            description="all: when every wire is settled. any: at the first value. first: the same, and calls off the "
            "others. n: at the n-th value. settled: when every wire is settled, however it ended.",
        ),
    ] = "all"
    n: Annotated[int, Meta(ge=1, le=1_000, title="Values needed"), shown_when("policy", "n")] = 2


class Inputs(Struct, frozen=True):
    """`ended` is filled by the engine, with the policy "settled" only."""

    values_in: Annotated[list[Any], many(), Meta(title="Values")] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)


class Outputs(Struct, frozen=True, omit_defaults=True):
    items: Annotated[
        list[Any], Meta(title="All values", description="In the order of the wires; skipped ones left out.")
    ]
    first: Annotated[Any, Meta(title="First value")]
    ended: Annotated[
        list[Ended], Meta(title="How each ended", description="Of each wire: step, status, value or error.")
    ] = field(default_factory=list)
    failed: Annotated[list[Any], Meta(title="Failed", description="Of the steps that failed: step and error.")] = field(
        default_factory=list
    )


SUMMARY = {
    "all": "When all have come",
    "any": "At the first value",
    "first": "The first wins",
    "settled": "When all have ended, however",
}
IN = (Port("values_in", "any", "Values", many=True),)
ITEMS = Port("items", "list", "All values", "In the order of the wires; skipped ones left out.")
OUT = (ITEMS, Port("first", "any", "First value"))
SETTLED = (
    ITEMS,
    Port("ended", "list", "How each ended", "Of each wire: step, status, value or error."),
    Port("failed", "list", "Failed", "Of the steps that failed: step and error."),
)


@node(
    "logic.join",
    version=1,
    title="Join",
    effect="pure",
    icon="merge",
    ports=lambda settings: Ports(IN, SETTLED if settings.policy == "settled" else OUT),
    join=lambda settings: (settings.policy, settings.n),
    summary=lambda settings: SUMMARY.get(settings.policy, f"At {settings.n} values"),
)
async def join(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Brings branches together. It goes on exactly once, or is skipped when too few values can come: it never hangs.

    "all" waits until every wire has brought a value or is skipped, and goes on with those that came. "any", "first" and
    "n" go on as soon as 1 or n values are there; with "first", steps that only served this join are called off.
    "settled" waits like "all" and goes on even when nothing came: it says of each wire whether it brought a value, was
    skipped, or failed (a step whose failure does not stop the run).
    """
    values = inputs.values_in
    failed = [ended for ended in inputs.ended if ended.status == "failed"]
    return Outputs(
        values, values[0] if values else None, list(inputs.ended), [{"step": e.step, "error": e.error} for e in failed]
    )
