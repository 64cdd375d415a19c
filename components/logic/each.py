"""logic.each: the steps inside, once for every item of a list."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, NodeError, Port, Ports, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    at_once: Annotated[
        int, Meta(ge=1, le=100, title="Rounds at once", description="Rounds that run at the same time.")
    ] = 4
    limit: Annotated[int, Meta(ge=1, le=100_000, title="At most", description="A longer list stops the step.")] = 1_000
    on_item_error: Annotated[
        Literal["fail", "skip", "collect"],
        Meta(
            title="When an item fails",
            description="fail: stop. skip: leave it out of the results. collect: put the error in its place.",
        ),
    ] = "fail"


class Inputs(Struct, frozen=True):
    items: list[Any]


class Outputs(Struct, frozen=True):
    results: list[Any]
    errors: list[Any]


PORTS = Ports(
    (
        Port("items", "list", "Items"),
        Port("result", "any", "Result", "What each round hands over.", required=False, inside=True),
    ),
    (
        Port("results", "list", "Results", "In the order of the items."),
        Port("errors", "list", "Errors", "Of the items that failed: index and message."),
        Port("item", "any", "Item", inside=True),
        Port("index", "number", "Index", "0 for the first.", inside=True),
    ),
)


@node(
    "logic.each",
    version=1,
    title="For each",
    effect="pure",
    icon="repeat",
    container=True,
    ports=lambda settings: PORTS,
    summary=lambda settings: f"up to {settings.limit:,}, {settings.at_once} at once",
)
async def each(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Runs the steps inside once per item, several at the same time, and collects what reaches 'Result'.

    Results are in the order of the items. A round whose result is skipped (by an 'If' inside) is left out, so this also
    filters. Nothing wired to 'Result' gives an empty value per item.

    Raises NodeError(field="limit") for a longer list, and NodeError naming item and step when one fails and the policy
    is "fail": rounds that run by then are called off.
    """
    if len(inputs.items) > settings.limit:
        raise NodeError(
            f"The list has {len(inputs.items):,} items, at most {settings.limit:,} are allowed. Raise 'At most'.",
            field="limit",
        )
    values = ({"item": item, "index": i} for i, item in enumerate(inputs.items))
    rounds = await ctx.body.rounds(values, settings.at_once, settings.on_item_error == "fail")
    results: list[Any] = []
    errors: list[Any] = []
    for ended in rounds:
        if ended.status == "done":
            results.append(ended.value)
        elif ended.status == "failed":
            if settings.on_item_error == "fail":
                raise NodeError(f"Item {ended.index} failed at step '{ended.node}': {ended.error}")
            errors.append({"index": ended.index, "message": ended.error})
            if settings.on_item_error == "collect":
                results.append({"error": ended.error})
    return Outputs(results, errors)
