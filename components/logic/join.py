"""logic.join: several ways become one again."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, many, node, shown_when


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    policy: Annotated[
        Literal["all", "any", "first", "n"],
        Meta(
            title="Goes on",
            description="all: when every wire is settled. any: at the first value. first: the same, and calls off the "
            "others. n: at the n-th value.",
        ),
    ] = "all"
    n: Annotated[int, Meta(ge=1, le=1_000, title="Values needed"), shown_when("policy", "n")] = 2


class Inputs(Struct, frozen=True):
    values_in: Annotated[list[Any], many(), Meta(title="Values")]


class Outputs(Struct, frozen=True):
    items: Annotated[
        list[Any], Meta(title="All values", description="In the order of the wires; skipped ones left out.")
    ]
    first: Annotated[Any, Meta(title="First value")]


SUMMARY = {"all": "When all have come", "any": "At the first value", "first": "The first wins"}


@node(
    "logic.join",
    version=1,
    title="Join",
    effect="pure",
    icon="merge",
    join=lambda settings: (settings.policy, settings.n),
    summary=lambda settings: SUMMARY.get(settings.policy, f"At {settings.n} values"),
)
async def join(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Brings branches together. It goes on exactly once, or is skipped when too few values can come: it never hangs.

    "all" waits until every wire has brought a value or is skipped, and goes on with those that came. "any", "first" and
    "n" go on as soon as 1 or n values are there; with "first", steps that only served this join are called off.
    """
    return Outputs(inputs.values_in, inputs.values_in[0])
