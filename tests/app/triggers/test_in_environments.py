"""Triggers of environments: off until switched on, apart from those of live, with a pace, address and log."""

from datetime import timedelta

import msgspec
import pytest

from app.db import tenant_tx
from app.errors import NotFound
from app.runs import hooks, stages
from app.runs import service as runs
from app.studio import service as studio
from app.studio.version_forms import EnvironmentForm, StageForm
from app.triggers import arrivals, keys, queries, service
from app.triggers.due import fire_due, fire_held
from app.triggers.following import fire_ends
from app.triggers.forms import PaceForm
from app.triggers.guard import guard
from app.triggers.paced_hooks import pace_hook
from app.triggers.plans import plan_new
from tests.app.runs.test_hooks import call
from tests.app.triggers.test_signatures import signed
from tests.factories.accounts import a_person
from tests.factories.studio import a_flow
from tests.factories.triggers import PORTS, a_started_flow, far_off, planned_ago

MAIL = b"From: Mara <mara@fernhill.example>\r\nTo: x@y\r\nSubject: Tulips\r\nMessage-ID: <1@x>\r\n\r\nHello"


@pytest.fixture
async def actor(engine, monkeypatch):
    monkeypatch.setattr(hooks, "REMEMBERED", 0.0)
    runs.guard_hooks(guard)
    runs.pace_hooks(pace_hook)
    return (await a_person()).actor


async def _staged(actor, start, **settings):
    """(flow, trigger of live, trigger of staging) of a flow that runs in both."""
    place = await studio.add_environment(actor, EnvironmentForm("staging"))
    flow_id = await a_flow(actor, a_started_flow(start, settings, port=PORTS[start]))
    version = await studio.publish(actor, flow_id, "", "")
    await studio.stage(actor, flow_id, StageForm(version, str(place)))
    while await plan_new():
        pass
    both = {each.environment: each for each in await queries.triggers(actor, flow_id)}
    return flow_id, place, both[""], both["staging"]


async def _ran(actor, flow_id):
    """The environment of each run of the flow, by name: ids of runs with a key say nothing about their order."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select coalesce(e.name, 'live') as name from run r join flow_version v on v.id = r.version_id
                 left join environment e on e.id = v.environment_id where r.flow_id = $1 order by 1""",
            flow_id,
        )
    return [row["name"] for row in rows]


async def test_a_schedule_is_off_there_until_somebody_switches_it_on_and_starts_what_runs_there(actor):
    flow_id, place, live, staged = await _staged(actor, "start.schedule", **far_off())
    assert live.on and not staged.on and live.id != staged.id and staged.next_at is None
    await planned_ago(staged.id, timedelta(seconds=10))
    await fire_due()
    assert "staging" not in await _ran(actor, flow_id)
    await service.switch(actor, staged.id, on=True)
    await plan_new()
    await planned_ago(staged.id, timedelta(seconds=10))
    await fire_due()
    assert await _ran(actor, flow_id) == ["staging"]
    detail = await queries.trigger(actor, staged.id)
    assert detail.trigger.environment == "staging" and len(detail.upcoming) == 5 and len(detail.firings) == 1
    assert (await queries.trigger(actor, live.id)).firings == []
    version = await studio.publish(actor, flow_id, "again", "")
    await studio.stage(actor, flow_id, StageForm(version, str(place)))
    assert (await queries.trigger(actor, staged.id)).trigger.on, "another version there leaves the switch as it is"
    await studio.unstage(actor, flow_id, place)
    with pytest.raises(NotFound):
        await queries.trigger(actor, staged.id)
    await planned_ago(staged.id, timedelta(seconds=10))
    await fire_due()
    assert await _ran(actor, flow_id) == ["staging"]


async def test_mail_has_an_address_of_its_own_there(actor):
    flow_id, _, live, staged = await _staged(actor, "start.email")
    assert live.path != staged.path
    with pytest.raises(NotFound):
        await arrivals.take_mail(staged.path, MAIL)
    await service.switch(actor, staged.id, on=True)
    assert (await arrivals.take_mail(staged.path, MAIL)).result == "started"
    assert (await arrivals.take_mail(live.path, MAIL)).result == "started"
    assert await _ran(actor, flow_id) == ["live", "staging"]


async def test_a_webhook_there_has_a_switch_a_pace_and_a_secret_of_its_own(actor):
    flow_id, _, live, staged = await _staged(actor, "start.webhook", signature="standard")
    assert staged.on and staged.path != live.path
    secret = await keys.set_secret(actor, live.id)

    async def sent(where, secret, delivery):
        _, headers = signed("standard", secret, b"{}", delivery=delivery)
        return (await call(where, b"{}", headers=list(headers.items())))[0]

    assert await sent(staged.path, secret, "d-1") == 200, "checked with the secret of live"
    own = await keys.set_secret(actor, staged.id)
    assert await sent(staged.path, secret, "d-2") == 401
    await service.set_pace(actor, staged.id, PaceForm("quiet", seconds=1))
    assert await sent(staged.path, own, "d-3") == 202 and await sent(live.path, secret, "d-3") == 200
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update trigger_firing set slot_at = now() - interval '1 s' where result = 'held'")
    await fire_held()
    assert await _ran(actor, flow_id) == ["live", "staging", "staging"]
    await service.switch(actor, staged.id, on=False)
    assert await sent(staged.path, own, "d-4") == 404 and await sent(live.path, secret, "d-4") == 200


async def test_the_end_of_a_run_starts_only_what_runs_in_the_same_place(actor):
    first, place, _, _ = await _staged(actor, "start.webhook")
    flow = a_started_flow("start.after", {"flow": "", "when": "either"}, port=PORTS["start.after"])
    async with tenant_tx(actor.workspace_id) as tx:
        version = await tx.fetchval("select version_id from flow_live where flow_id = $1", first)
        staged = await stages.staged_version(tx, first, "staging")
    flow.nodes[0] = msgspec.structs.replace(flow.nodes[0], settings={"flow": str(version), "when": "either"})
    after = await a_flow(actor, flow)
    made = await studio.publish(actor, after, "", "")
    await studio.stage(actor, after, StageForm(made, str(place)))
    while await plan_new():
        pass
    [there] = [each for each in await queries.triggers(actor, after) if each.environment]
    await service.switch(actor, there.id, on=True)
    while await plan_new():
        pass
    await runs.answer(actor.workspace_id, staged, {"body": {}}, trigger="webhook")
    await fire_ends()
    assert await _ran(actor, after) == ["staging"]


async def test_a_stranger_neither_sees_nor_switches_it(actor):
    _, _, _, staged = await _staged(actor, "start.schedule")
    stranger = (await a_person()).actor
    assert await queries.triggers(stranger) == []
    for act in (service.switch(stranger, staged.id, on=True), service.fire_now(stranger, staged.id)):
        with pytest.raises(NotFound):
            await act
