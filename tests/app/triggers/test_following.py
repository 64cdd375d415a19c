"""Events and ends of other flows start runs once each, in order, and never for ever."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.events import publish
from app.runs import service as runs
from app.triggers import firing, following, service
from app.triggers.following import fire_ends, fire_events
from app.triggers.plans import plan_new
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import a_person
from tests.factories.runs import a_chain, a_version, a_worker, wait_for
from tests.factories.triggers import a_started_flow, a_trigger, firings, the_trigger


async def happened(workspace_id, type, **data):
    async with tenant_tx(workspace_id) as tx:
        await publish(tx, workspace_id, "workspace", type, data)


async def input_of(row):
    async with system_tx("test") as tx:
        return msgspec.json.decode(await tx.fetchval("select input from run where id = $1", row["run_id"]))


async def test_each_event_of_its_kinds_fires_once_with_what_happened(engine):
    made = await a_trigger("start.event", kinds=["garden.*", "shop.sold"], condition="event.data.n < 3")
    for type, n in (("garden.grew", 1), ("shop.bought", 1), ("shop.sold", 2), ("garden.grew", 5)):
        await happened(made.workspace_id, type, n=n)
    await asyncio.gather(*(fire_events() for _ in range(5)))
    await fire_events()
    *rows, other = sorted(await firings(made.id), key=lambda row: row["run_id"] is None)
    given = [(await input_of(row))["event"] for row in rows]
    assert [(event["type"], event["data"]["n"]) for event in given] == [("garden.grew", 1), ("shop.sold", 2)]
    assert all(row["result"] == "started" and row["depth"] == 0 for row in rows)
    assert (other["result"], other["times"]) == ("skipped", 1)
    assert other["reason"].startswith("'Only if' did not hold, as for garden.grew, number ")
    for n in (7, 8):
        await happened(made.workspace_id, "garden.grew", n=n)
    await fire_events()
    assert sum(row["times"] for row in await firings(made.id) if row["run_id"] is None) == 3


async def test_rule_125_a_condition_knows_the_variables_of_its_environment_and_says_which_is_missing(engine):
    made = await a_trigger("start.event", kinds=["card.*"], condition="event.data.stars < vars.fewest")
    await happened(made.workspace_id, "card.rated", stars=1)
    await fire_events()
    (missed,) = await firings(made.id)
    assert missed["result"] == "skipped" and "this workspace has no variables here" in missed["reason"]
    async with tenant_tx(made.workspace_id) as tx:
        await runs.put_variables(tx, made.workspace_id, None, {"fewest": 3}, None)
    for stars in (2, 4):
        await happened(made.workspace_id, "card.rated", stars=stars)
    await fire_events()
    started = [row for row in await firings(made.id) if row["result"] == "started"]
    assert [(await input_of(row))["event"]["data"]["stars"] for row in started] == [2]
    async with tenant_tx(made.workspace_id) as tx:
        await runs.put_variables(tx, made.workspace_id, None, {"most": 3}, None)
    await happened(made.workspace_id, "card.rated", stars=2)
    await fire_events()
    last = (await firings(made.id))[-1]
    assert last["result"] == "skipped" and "no variable 'fewest' here. Known are: most" in last["reason"]


async def test_what_happened_before_the_publication_or_elsewhere_does_not_count(engine):
    person = await a_person()
    await happened(person.actor.workspace_id, "garden.grew")
    made = await a_trigger("start.event", workspace_id=person.actor.workspace_id, kinds=["garden.*"])
    await happened((await a_person()).actor.workspace_id, "garden.grew")
    await fire_events()
    assert await firings(made.id) == []


async def test_what_happens_while_it_is_switched_off_is_not_made_up_for(engine):
    actor = (await a_person()).actor
    made = await a_trigger("start.event", workspace_id=actor.workspace_id, kinds=["garden.*"])
    await service.switch(actor, made.id, on=False)
    await happened(actor.workspace_id, "garden.slept")
    await fire_events()
    async with system_tx("test") as tx:  # the flow went live long ago: only the switch says from when on
        await tx.execute("update flow_live set updated_at = now() - interval '1 day' where flow_id = $1", made.flow_id)
    await service.switch(actor, made.id, on=True)
    while await plan_new():
        pass
    await happened(actor.workspace_id, "garden.grew")
    await fire_events()
    assert [(await input_of(row))["event"]["type"] for row in await firings(made.id)] == ["garden.grew"]


async def test_a_flow_that_triggers_itself_stops_after_eight_and_the_log_says_why(engine):
    made = await a_trigger("start.event", kinds=["run.*"])
    await happened(made.workspace_id, "run.succeeded", run=str(uuid4()))
    for _ in range(firing.DEEPEST + 4):
        await fire_events()
        last = (await firings(made.id))[-1]
        if last["run_id"] is None:
            break
        await happened(made.workspace_id, "run.succeeded", run=str(last["run_id"]))
    rows = await firings(made.id)
    assert [row["depth"] for row in rows] == list(range(1, firing.DEEPEST + 2))
    assert rows[-1]["result"] == "skipped" and "for ever" in rows[-1]["reason"]


async def test_a_storm_starts_no_more_than_a_limit_and_the_rest_is_counted(engine, monkeypatch):
    monkeypatch.setattr(following, "MOST_A_MINUTE", 3)
    made = await a_trigger("start.event", kinds=["garden.grew"])
    for _ in range(7):
        await happened(made.workspace_id, "garden.grew")
    await fire_events()
    rows = await firings(made.id)
    assert [row["result"] for row in rows].count("started") == 3
    assert sum(row["times"] for row in rows if row["result"] == "skipped") == 4


@pytest.mark.parametrize("condition", ["event.data.missing > 3", "event.type + 1"])
async def test_a_condition_that_can_not_be_evaluated_is_in_the_log(engine, condition):
    made = await a_trigger("start.event", kinds=["garden.grew"], condition=condition)
    await happened(made.workspace_id, "garden.grew")
    await fire_events()
    (row,) = await firings(made.id)
    assert row["result"] == "skipped" and row["run_id"] is None and row["reason"]


async def test_a_step_without_kinds_or_with_a_broken_condition_shows_its_problem(engine):
    for settings in ({"kinds": []}, {"kinds": ["x"], "condition": "1 +"}):
        made = await a_trigger("start.event", **settings)
        async with system_tx("test") as tx:
            assert await tx.fetchval("select problem from trigger_plan where trigger_id = $1", made.id)


async def watching(workspace_id, version_id, when):
    flow = a_started_flow("start.after", {"flow": str(version_id), "when": when}, port="status")
    _, flow_id, _ = await a_version(flow, workspace_id)
    return await the_trigger(flow_id)


async def test_the_end_of_another_flow_fires_once_in_either_lane_and_tries_do_not_count(engine):
    workspace, _, watched = await a_version(a_chain(3, name="Watched", start="start.api"))
    await runs.answer(workspace, watched, {}, trigger="api")  # before: does not count
    good, bad = await watching(workspace, watched, "succeeded"), await watching(workspace, watched, "failed")
    express = await runs.answer(workspace, watched, {"n": 1}, trigger="api")
    await runs.answer(workspace, watched, {"n": 1}, trigger="editor", draft=True)
    async with a_worker():
        durable = await runs.start(workspace, watched, {}, trigger="api")
        await wait_for(workspace, durable, "succeeded")
    for _ in range(3):
        await asyncio.gather(*(fire_ends() for _ in range(3)))
    rows = await firings(good)
    assert {row["key"] for row in rows} == {str(express.run_id), str(durable)} and len(rows) == 2
    given = await input_of(next(row for row in rows if row["key"] == str(express.run_id)))
    assert given["status"] == "succeeded" and given["output"]["data"] and given["flow"] == "Watched"
    assert await firings(bad) == []


async def test_an_error_flow_gets_the_reason(engine):
    flow = Flow(
        [NodeUse("start", "start.webhook"), NodeUse("parse", "data.json"), NodeUse("answer", "show.answer")],
        [Edge("start.body", "parse.source"), Edge("parse.value", "answer.data")],
        name="Fragile",
    )
    workspace, _, watched = await a_version(flow)
    trigger = await watching(workspace, watched, "failed")
    failed = await runs.answer(workspace, watched, {"body": "no json"}, trigger="api")
    assert failed.status == "failed"
    await fire_ends()
    (row,) = await firings(trigger)
    assert (await input_of(row))["error"] == failed.error != ""
