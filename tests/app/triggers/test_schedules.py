"""Schedules fire once for each planned time, however many look, and say why when they do not."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.runs import service as runs
from app.triggers import service
from app.triggers.due import fire_due, fire_queued
from app.triggers.plans import plan_new
from flows.model import NodeUse
from tests.factories.accounts import a_person
from tests.factories.runs import a_version, a_worker, wait_for
from tests.factories.triggers import (
    a_started_flow,
    a_trigger,
    far_off,
    firings,
    planned_ago,
    planned_at,
    the_trigger,
)

SECONDS = timedelta(seconds=1)


async def next_at(trigger_id):
    async with system_tx("test") as tx:
        return await tx.fetchval("select next_at from trigger_plan where trigger_id = $1", trigger_id)


async def test_a_planned_time_starts_one_run_however_many_workers_look(engine):
    made = await a_trigger("start.schedule", **far_off())
    await planned_ago(made.id, 0 * SECONDS)
    await asyncio.gather(*(fire_due() for _ in range(6)))
    (fired,) = await firings(made.id)
    assert (fired["result"], fired["depth"]) == ("started", 0)
    assert await next_at(made.id) > fired["at"]
    async with a_worker():
        row = await wait_for(made.workspace_id, fired["run_id"], "succeeded")
    assert (row["trigger"], row["trigger_id"]) == ("schedule", made.id)
    assert msgspec.json.decode(row["input"])["planned_at"].endswith("+00:00")


async def test_a_clock_that_is_set_back_fires_nothing_twice(engine):
    made = await a_trigger("start.schedule", overlap="allow", **far_off())
    moment = await planned_ago(made.id, 0 * SECONDS)
    await fire_due()
    await planned_at(made.id, moment)
    await fire_due()
    (fired,) = await firings(made.id)
    assert fired["planned_at"] == moment


@pytest.mark.parametrize(
    ("policy", "started"),
    [
        ({"missed": "skip"}, 0),
        ({"missed": "once"}, 1),
        ({"missed": "catch up", "most": 3}, 3),
        ({"missed": "catch up", "most": 100}, 4),
    ],
)
async def test_missed_times_are_made_up_for_as_the_setting_says_and_the_rest_is_in_the_log(engine, policy, started):
    made = await a_trigger("start.schedule", overlap="allow", **far_off(), **policy)
    await planned_at(made.id, await next_at(made.id) - timedelta(days=4))
    await fire_due()
    rows = await firings(made.id)
    assert [row["result"] for row in rows].count("started") == started
    assert all(row["reason"].startswith("Made up for") for row in rows if row["result"] == "started")
    skipped = [row["reason"] for row in rows if row["result"] == "skipped"]
    assert len(skipped) == (started < 4)
    left = {0: "4 planned times", 1: "3 planned times", 3: "1 planned time"}.get(started, "")
    assert all(said.startswith(f"{left} passed while nothing was running here") for said in skipped)


async def test_a_time_of_less_than_a_minute_ago_is_on_time_and_one_before_that_was_missed(engine):
    made = await a_trigger("start.schedule", overlap="allow", missed="skip", **far_off())
    for ago, result in ((20, "started"), (100, "skipped")):
        await planned_ago(made.id, ago * SECONDS)
        await fire_due()
        assert (await firings(made.id))[-1]["result"] == result


async def test_an_outage_of_weeks_costs_no_thousands_of_runs(engine):
    made = await a_trigger("start.schedule", every="minutes", minutes=1, missed="catch up", most=100, overlap="allow")
    await planned_ago(made.id, timedelta(days=40))
    await fire_due()
    rows = await firings(made.id)
    assert len([row for row in rows if row["result"] == "started"]) == 101  # the newest of them is on time
    (note,) = [row for row in rows if row["result"] == "skipped"]
    assert note["reason"].startswith("More than 1000 planned times passed")


async def an_unfinished(overlap):
    made = await a_trigger("start.schedule", then="people.approval", overlap=overlap, **far_off())
    for _ in range(2):
        await planned_ago(made.id, 0 * SECONDS)
        await fire_due()
    return made, await firings(made.id)


async def test_overlap_skip_leaves_the_second_out_and_says_so(engine):
    _, rows = await an_unfinished("skip")
    assert [row["result"] for row in rows] == ["started", "skipped"]
    assert rows[1]["reason"] == "The last run still went on."


async def test_overlap_allow_starts_beside_it(engine):
    _, rows = await an_unfinished("allow")
    assert [row["result"] for row in rows] == ["started", "started"]


async def test_overlap_cancel_ends_the_first(engine):
    made, rows = await an_unfinished("cancel")
    assert [row["result"] for row in rows] == ["started", "started"]
    assert (await wait_for(made.workspace_id, rows[0]["run_id"], "cancelled"))["status"] == "cancelled"


async def test_overlap_queue_starts_the_second_when_the_first_has_ended(engine):
    made, rows = await an_unfinished("queue")
    assert [row["result"] for row in rows] == ["started", "queued"]
    await fire_queued()
    assert (await firings(made.id))[1]["result"] == "queued"
    await runs.cancel(made.workspace_id, rows[0]["run_id"])
    await asyncio.gather(fire_queued(), fire_queued())
    second = (await firings(made.id))[1]
    assert second["result"] == "started" and second["run_id"] != rows[0]["run_id"] and second["input"] is None


async def test_publishing_again_keeps_the_planned_time_unless_the_schedule_changed(engine):
    made = await a_trigger("start.schedule", time="04:30")
    first = await next_at(made.id)
    for changed, same in (({"time": "04:30"}, True), ({"time": "05:30"}, False)):
        flow = a_started_flow("start.schedule", changed, port="date")
        async with tenant_tx(made.workspace_id) as tx:
            await runs.save_version(tx, made.workspace_id, made.flow_id, flow, "again", None)
        assert await the_trigger(made.flow_id) == made.id
        assert (await next_at(made.id) == first) is same


async def test_a_step_that_is_gone_or_switched_off_does_not_fire_and_publishing_does_not_switch_it_on(engine):
    person = await a_person()
    made = await a_trigger("start.schedule", workspace_id=person.actor.workspace_id, **far_off())
    await service.switch(person.actor, made.id, on=False)
    flow = a_started_flow("start.schedule", {"every": "minutes", "minutes": 1}, port="time")
    async with tenant_tx(made.workspace_id) as tx:
        await runs.save_version(tx, made.workspace_id, made.flow_id, flow, "again", None)
    await plan_new()
    await planned_ago(made.id, 0 * SECONDS)
    await fire_due()
    assert await firings(made.id) == []
    await service.switch(person.actor, made.id, on=True)
    await plan_new()
    assert await next_at(made.id) is not None
    flow.nodes[0] = NodeUse("start", "start.api")
    flow.edges.clear()
    async with tenant_tx(made.workspace_id) as tx:
        await runs.save_version(tx, made.workspace_id, made.flow_id, flow, "without", None)
    await planned_ago(made.id, 0 * SECONDS)
    await fire_due()
    assert await firings(made.id) == []


async def test_two_schedules_in_one_flow_each_run_their_own_branch(engine):
    flow = a_started_flow("start.schedule", far_off(), port="date")
    flow.nodes.append(NodeUse("night", "start.schedule", settings=far_off()))
    workspace, flow_id, _ = await a_version(flow)
    while await plan_new():
        pass
    async with system_tx("test") as tx:
        night = await tx.fetchval("select id from trigger where flow_id = $1 and node_id = 'night'", flow_id)
    await planned_ago(night, 0 * SECONDS)
    await fire_due()
    (fired,) = await firings(night)
    async with a_worker():
        row = await wait_for(workspace, fired["run_id"], "succeeded", "failed")
    assert row["trigger"] == "schedule:night"
    async with tenant_tx(workspace) as tx:
        steps = {
            r["node_id"]: r["status"] for r in await tx.fetch("select * from node_exec where run_id = $1", row["id"])
        }
    assert steps["night"] == "succeeded" and steps["start"] == "skipped"
