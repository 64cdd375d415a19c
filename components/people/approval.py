"""people.approval: a person says yes or no."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from flows.sdk import Context, Template, Wait, lines, node

SIGNAL = "approval"
APPROVE, REJECT = "approve", "reject"
HOUR = 3_600


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[Template, Meta(title="Question", min_length=1, max_length=500), lines(1)] = "Please decide"
    description: Annotated[Template, Meta(title="Details", description="What the person should know."), lines(4)] = ""
    hours: Annotated[
        Annotated[float, Meta(ge=0, le=24 * 365)] | None,
        Meta(title="Time to decide, in hours", description="Empty = no limit."),
    ] = None
    on_timeout: Annotated[Literal["approve", "reject"], Meta(title="When nobody decides in time")] = "reject"


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(description="What is decided about; goes on along the chosen branch.")] = None


class Outputs(Struct, frozen=True):
    approved: Annotated[Any | UnsetType, Meta(title="Approved")] = UNSET
    rejected: Annotated[Any | UnsetType, Meta(title="Rejected")] = UNSET
    comment: str = ""
    by: Annotated[str, Meta(title="Decided by", description="Empty = nobody did in time.")] = ""


@node(
    "people.approval",
    version=1,
    title="Approval",
    effect="pure",
    icon="user-check",
    waits=True,
    summary=lambda settings: settings.title,
)
async def approval(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    """Asks a person, waits without holding a worker, and goes on along 'approved' or 'rejected'.

    The answer is the signal "approval" with {"choice": "approve" | "reject", "comment": text}. Anything but "approve"
    counts as a rejection: what nobody allowed must not happen.
    """
    if ctx.signal is None:
        return Wait(
            seconds=None if settings.hours is None else settings.hours * HOUR,
            signal=SIGNAL,
            title=settings.title,
            description=settings.description,
            choices=(APPROVE, REJECT),
            form={"type": "object", "properties": {"comment": {"type": "string", "title": "Comment"}}},
            data=inputs.value,
        )
    if ctx.signal.name != SIGNAL:
        choice, comment = settings.on_timeout, ""
    else:
        said = ctx.signal.data if isinstance(ctx.signal.data, dict) else {}
        choice, comment = said.get("choice", REJECT), str(said.get("comment") or "")
    if choice == APPROVE:
        return Outputs(approved=inputs.value, comment=comment, by=ctx.signal.by)
    return Outputs(rejected=inputs.value, comment=comment, by=ctx.signal.by)
