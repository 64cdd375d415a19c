"""start.schedule: the clock starts the flow."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from flows.sdk import Advanced, Context, Json, JsonText, NodeError, Nothing, Ports, node, shown_when
from flows.sdk.ports import ports_of

Days = Literal[
    "every day", "weekdays", "weekends", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays",
    "Sundays",
]  # fmt: skip
WEEKDAYS: dict[str, str] = {
    "every day": "*", "weekdays": "1-5", "weekends": "6,0", "Mondays": "1", "Tuesdays": "2", "Wednesdays": "3",
    "Thursdays": "4", "Fridays": "5", "Saturdays": "6", "Sundays": "0",
}  # fmt: skip
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_NAMES = {3: "jan feb mar apr may jun jul aug sep oct nov dec".split(), 4: "sun mon tue wed thu fri sat".split()}
_RANGES = ((0, 59, "minute"), (0, 23, "hour"), (1, 31, "day"), (1, 12, "month"), (0, 7, "weekday"))


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    every: Annotated[
        Literal["minutes", "hour", "day", "month", "cron"],
        Meta(
            title="How often",
            extra_json_schema={
                "x-labels": {
                    "minutes": "Every few minutes", "hour": "Every hour", "day": "On days of the week",
                    "month": "Every month", "cron": "As a cron line says",
                }
            },
        ),
    ] = "day"  # fmt: skip
    minutes: Annotated[
        Literal[1, 2, 5, 10, 15, 20, 30],
        Meta(title="Minutes between two", extra_json_schema={"x-labels": {"1": "1 minute"}}),
        shown_when("every", "minutes"),
    ] = 15
    minute: Annotated[
        int, Meta(ge=0, le=59, title="Minute", description="Minutes past the hour."), shown_when("every", "hour")
    ] = 0
    days: Annotated[
        Days,
        Meta(title="Days", extra_json_schema={"x-labels": {day: day.capitalize() for day in WEEKDAYS}}),
        shown_when("every", "day"),
    ] = "every day"
    day: Annotated[
        int,
        Meta(ge=1, le=31, title="Day", description="31 = the last day. A month without a 29th or 30th is left out."),
        shown_when("every", "month"),
    ] = 1
    time: Annotated[
        str, Meta(pattern=CLOCK, title="Time", description="24 hours, like 08:00."), shown_when("every", "day", "month")
    ] = "08:00"
    cron: Annotated[
        str,
        Meta(title="Cron line", max_length=200, description="Minute, hour, day, month, weekday: 0 8 * * 1-5"),
        shown_when("every", "cron"),
    ] = "0 8 * * 1-5"
    zone: Annotated[
        str, Meta(title="Time zone", max_length=60, description="Like Europe/Berlin. UTC has no summer.")
    ] = "UTC"
    missed: Annotated[
        Literal["skip", "once", "catch up"],
        Meta(
            title="Times that were missed",
            description="While nothing was running here.",
            extra_json_schema={
                "x-labels": {"skip": "Leave them out", "once": "Make up for them once", "catch up": "Make up for each"}
            },
        ),
        Advanced,
    ] = "once"
    most: Annotated[int, Meta(ge=1, le=100, title="At most so many"), shown_when("missed", "catch up"), Advanced] = 5
    overlap: Annotated[
        Literal["skip", "queue", "allow", "cancel"],
        Meta(
            title="When the last run still goes on",
            extra_json_schema={
                "x-labels": {
                    "skip": "Leave this time out", "queue": "Start when it has ended", "allow": "Start beside it",
                    "cancel": "Cancel it and start",
                }
            },
        ),
        Advanced,
    ] = "skip"  # fmt: skip
    data: Annotated[
        JsonText, Meta(title="Data", description="JSON that is handed on each time.", max_length=20_000), Advanced
    ] = ""

    @property
    def line(self) -> str:
        """What the settings say, as a cron line of five fields."""
        hour, _, minute = self.time.partition(":")
        match self.every:
            case "minutes":
                return "* * * * *" if self.minutes == 1 else f"*/{self.minutes} * * * *"
            case "hour":
                return f"{self.minute} * * * *"
            case "day":
                return f"{int(minute)} {int(hour)} * * {WEEKDAYS[self.days]}"
            case "month":
                return f"{int(minute)} {int(hour)} {'L' if self.day == 31 else self.day} * *"
        return " ".join(self.cron.split())


class Outputs(Struct, frozen=True):
    date: Annotated[str, Meta(description="Such as 2026-11-21, in the time zone of the schedule.")]
    time: Annotated[str, Meta(description="Such as 08:00.")]
    weekday: Annotated[str, Meta(description="Such as Saturday.")]
    planned_at: Annotated[str, Meta(description="The planned moment with its offset from UTC.")]
    data: Annotated[Any, Meta(description="The setting 'Data'.")] = None


def words(settings: Settings) -> str:
    """ "Weekdays at 08:00, Europe/Berlin": one line for people."""
    match settings.every:
        case "minutes":
            many = f"Every {settings.minutes} {'minute' if settings.minutes == 1 else 'minutes'}"
            said = "Every minute" if settings.minutes == 1 else many
        case "hour":
            said = f"Every hour at :{settings.minute:02}"
        case "day":
            said = f"{settings.days.capitalize()} at {settings.time}"
        case "month":
            day = "The last day" if settings.day == 31 else f"Day {settings.day}"
            said = f"{day} of every month at {settings.time}"
        case _:
            said = f"Cron {settings.line}"
    return f"{said}, {settings.zone}"


def _ports(settings: Settings) -> Ports:
    """Raises NodeError that names the setting: a schedule that can't be read must not be published."""
    if fault := cron_fault(settings.line):
        raise NodeError(fault, field="cron")
    try:
        ZoneInfo(settings.zone)
    except (ValueError, OSError, LookupError):
        raise NodeError(
            f"'{settings.zone}' is no time zone. Write it like Europe/Berlin, or UTC.", field="zone"
        ) from None
    if settings.data.strip():
        try:
            msgspec.json.decode(settings.data)
        except msgspec.DecodeError as problem:
            raise NodeError(f"The data is no JSON: {problem}.", field="data") from None
    return ports_of(Nothing, Outputs)


def cron_fault(line: str) -> str:
    """What is wrong with a cron line, "" when nothing is. Five fields: the shortest interval is a minute."""
    fields = line.split()
    if len(fields) != 5:
        return f"A cron line has five fields (minute, hour, day, month, weekday), not {len(fields)}: '{line}'."
    for place, (text, (low, high, name)) in enumerate(zip(fields, _RANGES, strict=True)):
        for part in text.lower().split(","):
            if not _part_fits(part, place, low, high):
                return f"'{part}' is no {name} of a cron line. Expected {low} to {high}, *, a-b or */n."
    return ""


def _part_fits(part: str, place: int, low: int, high: int) -> bool:
    if (place == 2 and part in ("l", "lw")) or (place == 4 and re.fullmatch(r"[0-7](l|#[1-5])", part)):
        return True
    span, slash, step = part.partition("/")
    if slash and not (step.isdigit() and 0 < int(step) <= high):
        return False
    if span == "*":
        return True
    names = _NAMES.get(place, [])
    first, dash, last = span.partition("-")
    numbers = []
    for word in (first, last) if dash else (first,):
        number = names.index(word) + (place == 3) if word in names else int(word) if word.isdigit() else -1
        if not low <= number <= high:
            return False
        numbers.append(number)
    return numbers == sorted(numbers)


@node(
    "start.schedule",
    version=1,
    title="Schedule",
    effect="pure",
    icon="clock",
    trigger="schedule",
    ports=_ports,
    summary=words,
)
async def schedule(settings: Settings, inputs: Nothing, ctx: Context) -> Outputs:
    """Starts the flow by the clock: every few minutes, on days of the week, every month, or as a cron line says.

    A planned time starts exactly one run, however many workers there are. When clocks go forward, a time that does
    not exist fires right after the gap; when they go back, a time that comes twice fires once.

    The run's input is {"planned_at": the moment with its offset}; without it (a try) the outputs are empty.
    """
    planned = str(ctx.input.get("planned_at") or "")
    data: Json = msgspec.json.decode(settings.data) if settings.data.strip() else None
    try:
        moment = datetime.fromisoformat(planned) if planned else None
    except ValueError:
        raise NodeError(f"'{planned}' is no moment. Expected e.g. 2026-11-21T08:00+01:00.") from None
    if moment is None:
        return Outputs("", "", "", "", data)
    local = moment.astimezone(ZoneInfo(settings.zone)) if moment.tzinfo else moment
    return Outputs(f"{local:%Y-%m-%d}", f"{local:%H:%M}", f"{local:%A}", local.isoformat(timespec="minutes"), data)
