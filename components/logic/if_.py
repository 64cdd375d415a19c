"""logic.if: one way or the other."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from components.logic.conditions import Row, holds
from flows.sdk import Advanced, Context, Expression, NodeError, lines, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    rows: Annotated[list[Row], Meta(title="Conditions", max_length=20)] = field(default_factory=list)
    match: Annotated[Literal["all", "any"], Meta(title="When", description="All of them, or any of them.")] = "all"
    expression: Annotated[
        Expression,
        Meta(title="Or as an expression", description="CEL that gives true or false; used instead of the conditions."),
        Advanced,
        lines(2),
    ] = ""


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(description="Goes on along 'yes' or 'no'.")] = None


class Outputs(Struct, frozen=True):
    yes: Annotated[Any | UnsetType, Meta(title="Yes")] = UNSET
    no: Annotated[Any | UnsetType, Meta(title="No")] = UNSET


def _summary(settings: Settings) -> str:
    if settings.expression:
        return str(settings.expression)
    joint = " and " if settings.match == "all" else " or "
    return joint.join(f"{row.value or 'value'} {row.op} {row.other}".strip() for row in settings.rows)


@node("logic.if", version=1, title="If", effect="pure", icon="split", summary=_summary)
async def if_(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Sends the value along 'yes' when the conditions hold, else along 'no'; what hangs on the other one is skipped.

    Without any condition the answer is yes for "all" and no for "any". How values are compared: text without regard to
    case, numbers as numbers.

    Raises NodeError that names the condition when it compares numbers and a value is none, or when the expression gives
    something else than true or false.
    """
    if settings.expression is not None:
        if not isinstance(settings.expression, bool):
            raise NodeError(
                f"The expression must give true or false, but gave '{settings.expression}'. Add a comparison to it.",
                field="expression",
            )
        yes = settings.expression
    else:
        answers = (holds(row, inputs.value, f"rows[{i}].other") for i, row in enumerate(settings.rows))
        yes = all(answers) if settings.match == "all" else any(answers)
    return Outputs(yes=inputs.value) if yes else Outputs(no=inputs.value)
