"""The page of versions, any two of them beside each other, and what a version is called."""

import json

import pytest

from app.db import tenant_tx
from app.errors import NotFound
from app.events import read
from app.studio import service
from app.studio.comparing import compare
from app.studio.forms import NodeConfig, NodeLabel
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_flow


async def _two(actor):
    """A flow with two versions and a draft that is a third state. The versions' ids."""
    flow_id = await a_flow(actor)
    first = await service.publish(actor, flow_id, "One", "")
    await service.apply_ops(actor, flow_id, a_batch(0, NodeLabel("write", "Writer")))
    second = await service.publish(actor, flow_id, "", "")
    await service.apply_ops(actor, flow_id, a_batch(1, NodeConfig("write", "template", "Be brief: {{ question }}")))
    return flow_id, first, second


async def test_any_two_states_are_compared(db):
    actor = await an_actor()
    flow_id, first, _ = await _two(actor)
    usual = await compare(actor, flow_id)
    assert (usual.before.ref, usual.after.ref) == ("2", "draft")
    assert [f.field for f in usual.found.steps[0].fields] == ["settings.template"]
    older = await compare(actor, flow_id, str(first), "2")
    assert [f.field for f in older.found.steps[0].fields] == ["label"]
    back = await compare(actor, flow_id, "draft", "1")
    assert len(back.found.steps[0].fields) == 2
    assert (await compare(actor, flow_id, "nothing", "1")).found.count("added") == 3


async def test_a_version_of_another_flow_or_workspace_is_not_there(db):
    actor = await an_actor()
    flow_id, first, _ = await _two(actor)
    other = await a_flow(actor)
    for who, flow, ref in ((actor, other, str(first)), (await an_actor(), flow_id, "1"), (actor, flow_id, "99")):
        with pytest.raises(NotFound):
            await compare(who, flow, ref, "draft")


async def test_name_and_notes_change_afterwards_and_who_did_it_stays_on_record(db):
    actor = await an_actor()
    flow_id, first, _ = await _two(actor)
    await service.describe(actor, flow_id, first, "  Opening   day ", "Said **hello**.\n")
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select name, notes from flow_version where id = $1", first)
        told = [e for e in await read(tx, actor.workspace_id, 0) if e.type == "version.described"]
    assert (row["name"], row["notes"]) == ("Opening day", "Said **hello**.")
    assert {e.topic for e in told} == {"workspace", f"flow:{flow_id}"}
    assert told[0].data["before"] == {"name": "One", "notes": ""} and told[0].data["by"] == actor.name
    with pytest.raises(NotFound):
        await service.describe(await an_actor(), flow_id, first, "x", "")
    with pytest.raises(NotFound):
        await service.describe(actor, await a_flow(actor), first, "x", "")


async def test_the_pages_show_what_changed_and_the_api_says_the_same(signed_in, api):
    actor = signed_in.actor
    flow_id, first, _ = await _two(actor)
    page = (await signed_in.get(f"/flows/{flow_id}/comparison?before=1")).text
    assert "Version 1, One" in page and "<ins>Be brief:</ins>" in page and 'id="change-write"' in page
    history = (await signed_in.get(f"/flows/{flow_id}/history")).text
    assert "Version 2" in history and "1 change since the live version" in history
    saved = await signed_in.post(f"/flows/{flow_id}/versions/{first}/about", data={"name": "<b>Uno", "notes": "x"})
    assert saved.status_code == 303
    assert "&lt;b&gt;Uno" in (await signed_in.get(f"/flows/{flow_id}/history")).text
    back = await signed_in.post(f"/flows/{flow_id}/versions/{first}/restoration")
    assert back.status_code == 303
    assert "are the same" in (await signed_in.get(f"/flows/{flow_id}/comparison?before=1")).text
    own = await a_flow(actor)
    version = (await api.post(f"/api/v1/flows/{own}/versions", json={})).json()["version_id"]
    assert (await api.put(f"/api/v1/flows/{own}/versions/{version}", json={"name": "V"})).status_code == 204
    said = json.loads((await api.get(f"/api/v1/flows/{own}/comparison?before=nothing&after=live")).text)
    assert said["to"] == {"ref": "1", "title": "Version 1, V", "version_id": version}
    assert [s["kind"] for s in said["steps"]] == ["added"] * 3 and said["wires"][0]["from"] == "ask.message"
    long = await api.put(f"/api/v1/flows/{own}/versions/{version}", json={"name": "x" * 121})
    assert long.status_code in (400, 422)
