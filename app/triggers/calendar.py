"""Planned times of a schedule: cron lines in a time zone, across summer and winter time. Pure.

As in Debian's cron: a time in the hour that clocks jump over fires right after the jump; a time in the hour that comes
twice fires once; lines with a * for the hour or the minute go by elapsed time and leave nothing out.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from msgspec import Struct

from app import clock

GRACE = timedelta(seconds=60)
"""A time is missed when nothing looked at it for so long."""
COUNTED = 1_000
"""Missed times are counted up to here."""


class NoSuchTime(Exception):
    """The line never comes true (30 February), or can't be read."""


class Due(Struct, frozen=True):
    """Planned times since the last look, oldest first. `gone`: how many more were missed, before those listed."""

    missed: list[datetime]
    on_time: list[datetime]
    gone: int
    next_at: datetime


def upcoming(line: str, zone: str, after: datetime, count: int = 1) -> list[datetime]:
    """The next planned times after a moment, in UTC. Raises NoSuchTime when there is none within 50 years."""
    found = [moment.astimezone(UTC) for moment in islice(_times(line, zone, after), count)]
    if len(found) < count:
        raise NoSuchTime(f"The cron line '{line}' never comes true.")
    return found


def due(line: str, zone: str, planned: datetime, now: datetime) -> Due:
    """What is due at `now` when `planned` is the first time that was not looked at yet."""
    found, times = [planned], _times(line, zone, planned)
    following = _following(times, line)
    while following <= now and len(found) < COUNTED:
        found.append(following)
        following = _following(times, line)
    gone = 0
    if following <= now:  # away for very long: what counts are the last ones
        gone = COUNTED
        newest = islice(CronSim(line.upper(), _local(now + timedelta(seconds=1), zone), reverse=True), 102)
        # A second later, so that a time of this very moment counts; but one that comes only then does not yet.
        found = sorted(moment.astimezone(UTC) for moment in newest if planned < moment <= now)[-101:]
        following = upcoming(line, zone, now)[0]
    found = [moment.astimezone(UTC) for moment in found]
    return Due(
        [moment for moment in found if now - moment > GRACE],
        [moment for moment in found if now - moment <= GRACE],
        gone,
        following.astimezone(UTC),
    )


def local_text(moment: datetime, zone: str) -> str:
    """A planned time as the flow gets it: with the offset that holds there then."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


def _following(times: "CronSim", line: str) -> datetime:
    for moment in times:
        return moment
    raise NoSuchTime(f"The cron line '{line}' never comes true any more.")


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _times(line: str, zone: str, after: datetime) -> "CronSim":
    try:
        return CronSim(line.upper(), _local(after, zone))
    except CronSimError as problem:
        raise NoSuchTime(f"The cron line '{line}' can't be read: {problem}.") from None


def now() -> datetime:
    """For what is only shown. What is due is decided by PostgreSQL's clock."""
    return clock.now()


def seen_there(moments: list[datetime], zone: str) -> list[datetime]:
    """The same moments in a time zone."""
    return [_local(moment, zone) for moment in moments]
