"""logic.switch: one of several ways."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from components.logic.conditions import Op, Row, holds
from flows.sdk import Condition, Context, Expression, Json, NodeError, Port, Ports, Superseded, Template, lines, node

OTHERWISE = "otherwise"


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[
        str,
        Meta(pattern="^[a-z][a-z0-9_]{0,39}$", title="Name", description="Of the output; small letters, digits, _."),
    ]
    op: Annotated[Op, Meta(title="Comparison"), Superseded] = "is"
    other: Annotated[Template, Meta(title="Compared with"), lines(1), Superseded] = ""
    when: Annotated[Condition, Meta(title="When")] = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    value: Annotated[
        Expression,
        Meta(title="Value", description="Such as order.country; empty = what comes in."),
        lines(1),
        Superseded,
    ] = ""
    cases: Annotated[list[Case], Meta(title="Cases", max_length=50)] = []


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(description="Goes on along the case that fits.")] = None


class Outputs(Struct, frozen=True):
    values: dict[str, Json]


def _ports(settings: Settings) -> Ports:
    names = [case.name for case in settings.cases]
    for name in names:
        if names.count(name) > 1 or name in (OTHERWISE, "error"):
            raise NodeError(f"The case name '{name}' is taken. Choose another.", field="cases")
    outputs = tuple(Port(name, "any", name, branch=True) for name in [*names, OTHERWISE])
    return Ports((Port("value", "any", "Value", "Goes on along the case that fits.", required=False),), outputs)


@node(
    "logic.switch",
    version=1,
    title="Switch",
    effect="pure",
    icon="list-tree",
    ports=_ports,
    summary=lambda settings: ", ".join(case.name for case in settings.cases),
)
async def switch(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Sends the value along the first case that fits, or along 'otherwise'; what hangs on the others is skipped.

    A case without a condition fits what is empty. Flows made before conditions were sentences go on comparing one value
    with each case.

    Raises NodeError that names the case when its condition gives neither true nor false.
    """
    for i, case in enumerate(settings.cases):
        if _fits(settings, case, inputs.value, i):
            return Outputs({case.name: inputs.value})
    return Outputs({OTHERWISE: inputs.value})


def _fits(settings: Settings, case: Case, coming_in: Any, index: int) -> bool:
    if case.when is None or case.when == "":
        return holds(Row(settings.value, case.op, case.other), coming_in, f"cases[{index}].other")
    if not isinstance(case.when, bool):
        raise NodeError(
            f"The condition of '{case.name}' must give true or false, but gave '{case.when}'. Add a comparison to it.",
            field=f"cases[{index}].when",
        )
    return case.when
