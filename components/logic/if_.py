"""logic.if: one way or the other."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from components.logic.conditions import Row, holds
from flows.sdk import Condition, Context, NodeError, Superseded, node


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    expression: Annotated[Condition, Meta(title="When")] = ""
    rows: Annotated[
        list[Row], Meta(title="Conditions", description="Used while 'When' is empty.", max_length=20), Superseded
    ] = field(default_factory=list)
    match: Annotated[
        Literal["all", "any"], Meta(title="Hold", description="All of them, or any of them."), Superseded
    ] = "all"


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
    """Sends the value along 'yes' when the condition holds, else along 'no'; what hangs on the other one is skipped.

    Without any condition the answer is yes. Text is compared letter by letter unless the comparison says "in any case".
    Flows made before conditions were sentences keep their list: text without regard to case, numbers as numbers.

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
