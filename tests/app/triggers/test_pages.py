"""Pages and API of triggers."""

from datetime import timedelta
from uuid import uuid4

from app.db import system_tx
from app.triggers.due import fire_due
from tests.factories.runs import a_version
from tests.factories.triggers import a_started_flow, a_trigger, planned_ago, the_trigger


async def test_a_trigger_is_listed_with_its_words_next_time_and_last_result(signed_in):
    empty = await signed_in.get("/triggers")
    assert "Nothing starts by itself yet" in empty.text
    made = await a_trigger("start.schedule", workspace_id=signed_in.actor.workspace_id, every="minutes", minutes=1)
    await planned_ago(made.id, timedelta())
    await fire_due()
    page = await signed_in.get("/triggers")
    for words in ("Every minute, UTC", "By start.schedule", "Queued", "On", f"/triggers/{made.id}"):
        assert words in page.text, words
    async with system_tx("test") as tx:
        await tx.execute("update worker set stopped_at = now()")  # of other tests, in the same database
    detail = await signed_in.get(f"/triggers/{made.id}")
    assert detail.text.count("<time datetime") >= 6  # five to come, one in the log
    assert "Why did this not fire?" in detail.text and "No worker is running" in detail.text


async def test_a_schedule_that_no_worker_has_looked_at_yet_shows_no_times_instead_of_others(signed_in):
    flow = a_started_flow("start.schedule", {"time": "06:15", "zone": "Europe/Berlin"}, port="date")
    _, flow_id, _ = await a_version(flow, signed_in.actor.workspace_id)
    async with system_tx("test") as tx:
        trigger = await tx.fetchval("select id from trigger where flow_id = $1", flow_id)
    early = await signed_in.get(f"/triggers/{trigger}")
    assert "Next times" not in early.text and "No worker has looked at this version yet" in early.text
    assert await the_trigger(flow_id) == trigger
    later = await signed_in.get(f"/triggers/{trigger}")
    assert "Next times, Europe/Berlin" in later.text and "06:15" in later.text
    assert "No worker has looked" not in later.text


async def test_one_that_follows_a_flow_which_is_not_live_says_so(signed_in):
    workspace = signed_in.actor.workspace_id
    lost = await a_trigger("start.after", workspace_id=workspace, flow=str(uuid4()))
    assert "has no live version" in (await signed_in.get(f"/triggers/{lost.id}")).text
    there = await a_trigger("start.after", workspace_id=workspace, flow=str(lost.flow_id))
    assert "has no live version" not in (await signed_in.get(f"/triggers/{there.id}")).text


async def test_a_trigger_is_switched_off_and_on_and_fired_by_hand(signed_in):
    made = await a_trigger("start.schedule", workspace_id=signed_in.actor.workspace_id)
    assert (await signed_in.post(f"/triggers/{made.id}/switching-off", data={})).status_code in (200, 303)
    assert "It is switched off." in (await signed_in.get(f"/triggers/{made.id}")).text
    fired = await signed_in.post(f"/triggers/{made.id}/firings", data={})
    assert fired.status_code == 303 and fired.headers["location"].startswith("/runs/")
    assert "Fired by hand" in (await signed_in.get(f"/triggers/{made.id}")).text
    await signed_in.post(f"/triggers/{made.id}/switching-on", data={})
    assert "It is switched off." not in (await signed_in.get(f"/triggers/{made.id}")).text


async def test_the_api_lists_shows_switches_and_fires(signed_in, api):
    made = await a_trigger("start.schedule", workspace_id=signed_in.actor.workspace_id, time="06:15")
    (listed,) = (await api.get(f"/api/v1/triggers?flow={made.flow_id}")).json()
    assert (listed["kind"], listed["words"], listed["on"]) == ("schedule", "Every day at 06:15, UTC", True)
    assert (await api.put(f"/api/v1/triggers/{made.id}/switch", json={"on": False})).status_code == 204
    fired = await api.post(f"/api/v1/triggers/{made.id}/firings")
    assert fired.status_code == 202 and fired.json()["result"] == "started"
    detail = (await api.get(f"/api/v1/triggers/{made.id}")).json()
    assert detail["trigger"]["on"] is False and detail["firings"][0]["run_id"] == fired.json()["run_id"]


async def test_a_flow_with_two_start_steps_has_two_triggers_and_a_draft_none(signed_in, api):
    made = await a_trigger("start.webhook", workspace_id=signed_in.actor.workspace_id)
    listed = (await api.get("/api/v1/triggers")).json()
    assert [row["kind"] for row in listed] == ["webhook"] and listed[0]["id"] == str(made.id)


async def test_the_panel_of_a_schedule_shows_the_next_five_times(signed_in):
    from tests.factories.studio import a_flow
    from tests.factories.triggers import a_started_flow

    flow = await a_flow(signed_in.actor, a_started_flow("start.schedule", {"days": "weekdays"}, port="date"))
    panel = await signed_in.get(f"/flows/{flow}/nodes/start/panel")
    assert panel.text.count("<time datetime") == 5 and "Next times, UTC" in panel.text
