from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.triggers.calendar import NoSuchTime, due, upcoming
from components.start.schedule import Settings, cron_fault, schedule, words
from flows.sdk import NodeError, Nothing
from flows.sdk.testing import context


@pytest.mark.parametrize(
    ("settings", "line", "said"),
    [
        (Settings(), "0 8 * * *", "Every day at 08:00, UTC"),
        (Settings(days="weekdays", time="18:05"), "5 18 * * 1-5", "Weekdays at 18:05, UTC"),
        (Settings(every="minutes", minutes=1), "* * * * *", "Every minute, UTC"),
        (Settings(every="hour", minute=7), "7 * * * *", "Every hour at :07, UTC"),
        (Settings(every="month", day=31), "0 8 L * *", "The last day of every month at 08:00, UTC"),
        (Settings(every="cron", cron=" 1  2 3 4 5 "), "1 2 3 4 5", "Cron 1 2 3 4 5, UTC"),
    ],
)
def test_settings_are_a_cron_line_and_a_sentence(settings, line, said):
    assert (settings.line, words(settings), cron_fault(settings.line)) == (line, said, "")
    assert len(upcoming(line, settings.zone, datetime(2026, 11, 21, tzinfo=UTC), 5)) == 5


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (Settings(every="cron", cron="* * * * * *"), "cron"),  # six fields would mean seconds
        (Settings(every="cron", cron="@reboot"), "cron"),
        (Settings(every="cron", cron="*/0 * * * *"), "cron"),
        (Settings(every="cron", cron="61 * * * *"), "cron"),
        (Settings(every="cron", cron="5-1 * * * *"), "cron"),
        (Settings(every="cron", cron="1,,2 * * * *"), "cron"),
        (Settings(zone="Europe/Atlantis"), "zone"),
        (Settings(zone="../../etc/passwd"), "zone"),
        (Settings(data="{"), "data"),
    ],
)
def test_what_can_not_be_read_is_refused_before_publishing_and_names_the_setting(settings, field):
    with pytest.raises(NodeError) as refused:
        schedule.ports(settings)
    assert refused.value.field == field


def test_the_shortest_interval_is_a_minute():
    times = upcoming("* * * * *", "UTC", datetime(2026, 1, 1, tzinfo=UTC), 60)
    assert {(b - a).total_seconds() for a, b in pairwise(times)} == {60.0}


def test_a_day_that_never_comes_is_said_and_not_searched_for_ever():
    with pytest.raises(NoSuchTime):
        upcoming("0 0 30 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
@pytest.mark.parametrize("line", ["30 2 * * *", "0 2 * * *", "15 0 * * *", "0 8 * * 1-5"])
def test_every_local_day_has_its_time_once_across_both_changes_of_the_clock(zone, line):
    times = upcoming(line, zone, datetime(2026, 1, 1, tzinfo=UTC), 400)
    assert times == sorted(set(times))
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in times]
    assert len(days) == len(set(days)), "a local day fired twice"
    if line.endswith("* * *"):
        assert (days[-1] - days[0]).days == len(days) - 1, "a local day was left out"


def test_lines_with_a_star_go_by_elapsed_time_when_the_hour_comes_twice():
    times = upcoming("*/30 * * * *", "Europe/Berlin", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), 8)
    assert {(b - a).total_seconds() for a, b in pairwise(times)} == {1800.0}


def test_what_is_due_is_split_into_missed_and_on_time():
    first, now = datetime(2026, 5, 1, 10, 0, tzinfo=UTC), datetime(2026, 5, 1, 10, 45, 20, tzinfo=UTC)
    found = due("*/15 * * * *", "UTC", first, now)
    assert [t.minute for t in found.missed] == [0, 15, 30] and [t.minute for t in found.on_time] == [45]
    assert (found.gone, found.next_at.hour) == (0, 11)


async def test_the_outputs_are_the_planned_time_where_the_schedule_is():
    settings = Settings(zone="Europe/Berlin", data='{"list": [1]}')
    out = await schedule.run(settings, Nothing(), context({"planned_at": "2026-07-01T06:00+00:00"}))
    assert (out.date, out.time, out.weekday, out.data) == ("2026-07-01", "08:00", "Wednesday", {"list": [1]})
    assert out.planned_at == "2026-07-01T08:00+02:00"
    assert (await schedule.run(settings, Nothing(), context({}))).date == ""
