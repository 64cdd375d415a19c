"""data.filter: the items of a list for which a condition holds."""

import asyncio
from typing import Annotated, Any

from msgspec import Meta, Struct

from flows.sdk import Condition, Context, NodeError, late, node

AT_A_TIME = 500
"""Items between two moments in which other steps may go on."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    keep: Annotated[
        Condition,
        Meta(title="Keep an item when", description="Over item and index. Empty = every item."),
        late("item", "index"),
    ] = ""


class Inputs(Struct, frozen=True):
    items: list[Any]


class Outputs(Struct, frozen=True):
    kept: Annotated[list[Any], Meta(title="Kept", description="In the order of the items.")]
    left: Annotated[list[Any], Meta(title="Left out", description="The others, in their order.")]


@node(
    "data.filter", version=1, title="Filter", effect="pure", icon="filter", summary=lambda settings: settings.keep or ""
)
async def filter_(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Keeps the items of a list for which the condition holds, and gives the others apart.

    Raises NodeError(field="keep") when the condition gives neither true nor false, and what it says of an item it can't
    be worked out for; both name the item, counted from 1.
    """
    kept: list[Any] = []
    left: list[Any] = []
    for index, item in enumerate(inputs.items):
        if index % AT_A_TIME == AT_A_TIME - 1:
            await asyncio.sleep(0)
        (kept if _holds(settings.keep, item, index) else left).append(item)
    return Outputs(kept, left)


def _holds(condition: Any, item: Any, index: int) -> bool:
    if condition is None or condition == "":
        return True
    try:
        found = condition({"item": item, "index": index})
    except NodeError as problem:
        raise NodeError(f"Item {index + 1}: {problem.message}", field="keep") from None
    if not isinstance(found, bool):
        raise NodeError(
            f"The condition must give true or false, but gave '{found}' for item {index + 1}. Add a comparison to it.",
            field="keep",
        )
    return found
