"""The pace of a trigger as a page's form writes it, and back. Pure."""

from app.errors import Refused
from app.triggers.forms import PaceForm, PacePageForm
from app.triggers.pacing import Pace

NUMBERS = {"seconds": (1, 86_400, 10), "longest": (1, 864_000, None), "most": (1, 10_000, 1)}
"""Field: least, most, and what an empty one means."""


def pace_of(data: PacePageForm) -> PaceForm:
    """Raises Refused naming the field that is no number, or one that can't be. Fields of another mode are not read."""
    wanted = {"none": (), "quiet": ("seconds", "longest"), "rate": ("seconds", "most")}[data.mode]
    numbers = {name: _number(getattr(data, name), name) for name in wanted}
    return PaceForm(data.mode, key=data.key.strip(), take=data.take, over=data.over, **numbers)  # type: ignore[arg-type]


def written_pace(pace: Pace | None) -> PacePageForm:
    if pace is None:
        return PacePageForm(seconds="10", most="1")
    longest = str(pace.longest or "")
    return PacePageForm(pace.mode, str(pace.seconds), pace.key, pace.take, longest, str(pace.most), pace.over)


def _number(text: str, name: str) -> int | None:
    least, most, unsaid = NUMBERS[name]
    if not text.strip():
        return unsaid
    try:
        number = int(text)
    except ValueError:
        raise Refused("This is no whole number.", field=name) from None
    if not least <= number <= most:
        raise Refused(f"From {least} to {most:,}.", field=name)
    return number
