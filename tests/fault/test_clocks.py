"""Schedules and timers while the database's clock runs, jumps, and comes to the days when summer begins and ends.

Only the database's clock counts (F-22 shows that the workers' do not), so only it is changed: clock.py.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.triggers.due import fire_due
from tests.factories.triggers import Made, a_trigger
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.clock import Clock
from tests.fault.doors import opened
from tests.fault.web import running_web
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

MINUTE = timedelta(minutes=1)


async def the_firings(it: World, made: Made) -> list[Any]:
    return await it.ask("select * from trigger_firing where trigger_id = $1 order by planned_at, id", made.id)


async def all_ran(it: World, triggers: list[Made], seconds: float = 90.0) -> None:
    """Every firing has a run of its own, and that run is done."""
    await it.quiet(seconds)
    it.sizes |= {made.version_id: 2 for made in triggers}
    rows = await it.ask(
        "select run_id from trigger_firing where result = 'started' and trigger_id = any ($1::uuid[])",
        [made.id for made in triggers],
    )
    it.accepted += [row["run_id"] for row in rows]
    figures = await check(it, exact_doubts=False)
    assert figures["succeeded"] == len(it.accepted)


async def test_f_23_the_clock_of_the_database_jumps_ahead_and_back(folder, full):
    """Timers ring early or late by the jump, each once; leases are there again at once; nothing runs twice."""
    runs = 100 if full else 12
    clock = Clock(folder)
    async with world(folder, workers=3, clock=clock, birth={"dead_after": 6.0}) as it:
        [(workspace, version)] = await it.flow(steps.resting(45.0))
        for way, jump in enumerate((600.0, -600.0, 600.0, -600.0)):
            for i in range(runs // 4):
                await it.start(workspace, version, f"timer-{way}-{i}")
            await it.load(runs // 4, 0.2, risky_share=0.0, prefix=f"way-{way}")
            await it.until("select exists (select from run where status = 'running')")
            [[before]] = await it.ask("select clock_timestamp()")
            clock.jump(jump)
            [[after]] = await it.ask("select clock_timestamp()")
            assert abs((after - before).total_seconds() - jump) < 30, "the clock did not jump"
            it.note(f"jumped {jump:g} s")
            later = await it.start(workspace, version, f"later-{way}")
            await it.until(  # somebody has a lease, and works
                "select exists (select from node_exec where run_id = $1 and node_id = 'e0' and status = 'succeeded')",
                later,
                seconds=40,
            )
        clock.jump(700.0)  # those that were begun ahead of time are not waited for
        await it.quiet(120)
        figures = await check(it)
        assert figures["succeeded"] == len(it.accepted) and figures["faults"]["jumped"] == 4
        rung = await it.ask(
            """select run_id from run_event where type = 'step.succeeded' and payload->>'node' = 'rest'
                group by run_id having count(*) <> 1"""
        )
        assert not rung, "a timer rang twice"


CHANGES = [
    ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2027, 10, 31, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2028, 4, 1, 15, tzinfo=UTC)),
    ("America/New_York", datetime(2028, 11, 5, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2029, 10, 6, 15, 30, tzinfo=UTC)),
]
"""In their order in time: a database's clock is not set back by months."""
LINES = [
    "30 2 * * *",
    "0 2 * * *",
    "59 1 * * *",
    "0 3 * * *",
    "15 1 * * *",
    "30 1-4 * * *",
    "20 * * * *",
    "*/15 * * * *",
]


async def test_f_24_schedules_over_the_days_when_summer_begins_and_ends(folder, full, chance):
    """Each local time fires once: one that the clocks jump over right after the jump, one that comes twice once. A flow
    that follows one of them runs as often.
    """
    clock = Clock(folder)
    async with world(folder, workers=0, clock=clock) as it:
        everything = []
        for zone, change in CHANGES if full else CHANGES[:2]:
            begin, end = change - timedelta(hours=2, minutes=31), change + timedelta(hours=3, minutes=1)
            clock.set(begin)
            lines = [*LINES, *(a_line(chance) for _ in range(2))]
            triggers = [await a_trigger("start.schedule", every="cron", cron=line, zone=zone, overlap="allow",
                                        missed="skip") for line in lines]  # fmt: skip
            first = triggers[0]
            follower = await a_trigger("start.after", workspace_id=first.workspace_id, flow=str(first.version_id),
                                       when="succeeded")  # fmt: skip
            await until_it_is(it, clock, end, chance)
            for line, made in zip(lines, triggers, strict=True):
                fired = [row["planned_at"] for row in await the_firings(it, made)]
                assert fired == list(expected(line, zone, begin, end)), f"{line} in {zone} at {change}"
            seen = {moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in (begin, end)}
            assert len(seen) == 2, "the offset did not change: the fault did not happen"
            it.note(f"changed {zone}")
            everything += [*triggers, follower]
            await it.spawn(dead_after=10.0)
            await it.quiet(60)
            times = len(await the_firings(it, first))
            await it.until("select count(*) >= $2 from trigger_firing where trigger_id = $1", follower.id, times)
            await it.quiet(60)
            assert [row["result"] for row in await the_firings(it, follower)] == ["started"] * times
            await it.kill(it.workers[0])
            await it.ask("update trigger set enabled = false")
        await all_ran(it, everything)


def a_line(chance: random.Random) -> str:
    return f"{chance.randint(0, 59)} {chance.choice(('*', '0', '1', '2', '3', '4'))} * * *"


async def until_it_is(it: World, clock: Clock, end: datetime, chance: random.Random) -> None:
    """From one planned time to the next, each looked at a little late, by three at once."""
    clock.run_at(0)
    while True:
        [[soonest]] = await it.ask(
            "select min(next_at) from trigger_plan p join trigger t on t.id = p.trigger_id where t.enabled"
        )
        if soonest is None or soonest >= end:
            break
        clock.set(soonest + timedelta(seconds=chance.uniform(0, 40)))
        await asyncio.gather(*(fire_due() for _ in range(3)))
    clock.set(end)
    clock.run_at(1)


def expected(line: str, zone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Minute by minute, as the document says it (docs/triggers.md), in no clever way."""
    minute, hour, *_ = line.split()
    there, already = ZoneInfo(zone), set()
    moment = begin.replace(second=0, microsecond=0) + MINUTE
    while moment < end:
        local, last = (each.astimezone(there).replace(tzinfo=None) for each in (moment, moment - MINUTE))
        if "*" in hour or "*" in minute:
            if fits(minute, local.minute) and fits(hour, local.hour):
                yield moment
        else:
            passed = [last + n * MINUTE for n in range(1, max(1, int((local - last) / MINUTE)) + 1)]
            due = [each for each in passed if fits(minute, each.minute) and fits(hour, each.hour)]
            if local > last and any(each not in already for each in due):
                yield moment
            elif local < last and fits(minute, local.minute) and fits(hour, local.hour) and local not in already:
                yield moment
            already.update(due if local > last else [local])
        moment += MINUTE


def fits(field: str, number: int) -> bool:
    if field.startswith("*/"):
        return number % int(field[2:]) == 0
    first, _, last = field.partition("-")
    return field == "*" or int(first) <= number <= int(last or first)


async def test_f_27_triggers_fire_once_each_time_whatever_happens_to_the_workers(folder, full, chance):
    """A minute takes ten seconds. One worker stands still half of the time; the others are killed one after another.
    Meanwhile webhooks, mails and events come in, each more than once, and a flow follows another.
    """
    schedules, workers, minutes = (20, 6, 12) if full else (5, 3, 3)
    clock = Clock(folder)
    async with world(folder, workers=0, clock=clock) as it, running_web(folder / "web.log") as web:
        await it.spawn(lag=5.0, dead_after=20.0)
        others = [await it.spawn(dead_after=20.0) for _ in range(workers - 1)]
        await it.ready(workers)
        triggers = [await a_trigger("start.schedule", every="minutes", minutes=1, overlap="allow",
                                    missed="catch up", most=100) for _ in range(schedules)]  # fmt: skip
        doors = await opened(it, web)
        clock.run_at(6)
        end = clock.now() + minutes * MINUTE
        kills = 0
        while clock.now() < end:
            knocking = asyncio.create_task(doors.knock())
            await asyncio.sleep(1.5)
            others = [pid for pid in others if pid in it.workers]
            await it.kill(chance.choice(others))
            others.append(await it.spawn(dead_after=20.0))
            kills += 1
            await knocking
        await it.until("select count(*) = 0 from trigger_plan where next_at <= clock_timestamp()")
        clock.run_at(0)
        for made in triggers:
            await it.ask("update trigger set enabled = false where id = $1", made.id)
        clock.run_at(1)
        for made in triggers:
            planned = [row["planned_at"] for row in await the_firings(it, made)]
            assert planned == [planned[0] + n * MINUTE for n in range(len(planned))], "left out, or twice"
            assert len(planned) >= minutes
        assert doors.knocked == kills >= minutes
        await doors.all_answered()
        await all_ran(it, triggers)


async def test_f_28_nothing_was_there_when_the_time_came(folder, full):
    """All workers are away for five minutes: what was missed is made up for as each schedule says, and no more. What
    knocks meanwhile is taken by the web process, and starts its run afterwards: once.
    """
    clock = Clock(folder)
    async with (
        world(folder, clock=clock, birth={"dead_after": 10.0}) as it,
        running_web(folder / "web.log") as web,
    ):
        doors = await opened(it, web)
        policies: list[tuple[dict[str, Any], int]] = [
            ({"missed": "skip"}, 0),
            ({"missed": "once"}, 1),
            ({"missed": "catch up", "most": 3}, 3),
            ({"missed": "catch up", "most": 100}, 4),
        ]
        copies = 3 if full else 1
        triggers = [(await a_trigger("start.schedule", every="minutes", minutes=1, overlap="allow", **policy), made_up)
                    for policy, made_up in policies * copies]  # fmt: skip
        for pid in list(it.workers):
            os.kill(pid, 9)
            it.workers.remove(pid)
            it.note(f"kill -9 {pid}")
        clock.run_at(0)
        for _ in range(20 if full else 3):
            await doors.knock()
        [[gone]] = await it.ask("select clock_timestamp()")
        clock.set(gone.replace(second=30, microsecond=0) + 6 * MINUTE)  # half a minute from any planned time
        clock.run_at(1)
        for _ in range(2):
            await it.spawn(dead_after=10.0)
        await it.until(
            """select count(*) = 0 from trigger_plan p join trigger t on t.id = p.trigger_id
                where t.kind = 'schedule' and (p.next_at <= clock_timestamp() or p.next_at is null)""",
            seconds=30,
        )
        for made, wanted in triggers:
            rows = await the_firings(it, made)
            started = [row["planned_at"] for row in rows if row["result"] == "started"]
            assert len(started) == len(set(started)), "a time fired twice"
            late = [row for row in rows if row["reason"].startswith("Made up for")]
            assert len(late) == wanted if wanted < 4 else len(late) in (4, 5), f"{len(late)} made up, not {wanted}"
            if wanted < 4:
                [said] = [row["reason"] for row in rows if row["result"] == "skipped"]
                assert "passed while nothing was running" in said
        await doors.all_answered()
        await it.ask("update trigger set enabled = false")
        await all_ran(it, [made for made, _ in triggers])
