"""logic.wait: go on later."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Context, NodeError, Template, Wait, lines, node, shown_when

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    mode: Annotated[Literal["for", "until"], Meta(title="Wait")] = "for"
    amount: Annotated[float, Meta(ge=0, le=100_000, title="How long"), shown_when("mode", "for")] = 1
    unit: Annotated[Literal["seconds", "minutes", "hours", "days"], Meta(title="Unit"), shown_when("mode", "for")] = (
        "minutes"
    )
    until: Annotated[
        Template,
        Meta(title="Until", description="Date and time, such as 2027-01-31T09:00+01:00. Without zone: UTC."),
        shown_when("mode", "until"),
        lines(1),
    ] = ""


class Inputs(Struct, frozen=True):
    value: Annotated[Any, Meta(description="Goes on after the wait.")] = None


class Outputs(Struct, frozen=True):
    value: Any


def _summary(settings: Settings) -> str:
    return f"{settings.amount:g} {settings.unit}" if settings.mode == "for" else f"until {settings.until}"


@node("logic.wait", version=1, title="Wait", effect="pure", icon="hourglass", waits=True, summary=_summary)
async def wait(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    """Pauses this branch; other branches go on, and no worker is held. A moment that has passed does not wait at all.

    Raises NodeError(field="until") when the moment can't be read.
    """
    if ctx.signal is not None:
        return Outputs(inputs.value)
    if settings.mode == "for":
        return Wait(seconds=settings.amount * SECONDS[settings.unit], title="Waiting")
    try:
        moment = datetime.fromisoformat(settings.until.strip())
    except ValueError:
        raise NodeError(
            f"'{settings.until}' is no date and time. Write it like 2027-01-31T09:00+01:00.", field="until"
        ) from None
    return Wait(until=moment if moment.tzinfo else moment.replace(tzinfo=UTC), title="Waiting")
