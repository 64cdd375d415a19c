"""The API's runs, over the real routes with a real key."""

import msgspec
import pytest

from tests.factories.accounts import an_actor, an_api_key
from tests.factories.runs import a_chain, a_version, a_worker, an_approval, wait_for


@pytest.fixture
async def who(app):
    actor = await an_actor()
    return actor, {"authorization": f"Bearer {await an_api_key(actor)}"}


async def test_wait_gives_the_result_and_the_run_can_be_read(client, who):
    actor, key = who
    _, flow, _ = await a_version(a_chain(4, start="start.api"), actor.workspace_id)
    reply = await client.post(f"/api/v1/flows/{flow}/runs", json={"input": {"a": 1}, "wait": True}, headers=key)
    assert reply.status_code == 200, reply.text
    assert reply.json()["output"]["data"] == {"a": 1, "n0": "0", "n1": "1"}
    run = (await client.get(f"/api/v1/runs/{reply.json()['id']}", headers=key)).json()
    assert [step["node"] for step in run["steps"]] == ["start", "s0", "s1", "answer"]
    assert run["steps"][3]["inputs"] == {"data": {"a": 1, "n0": "0", "n1": "1"}}


async def test_stored_at_once_then_signalled_followed_and_read(client, who):
    actor, key = who
    _, flow, _ = await a_version(an_approval(), actor.workspace_id)
    headers = {**key, "idempotency-key": "order-7"}
    first = await client.post(f"/api/v1/flows/{flow}/runs", json={"input": {"x": 1}}, headers=headers)
    again = await client.post(f"/api/v1/flows/{flow}/runs", json={"input": {"x": 1}}, headers=headers)
    other = await client.post(f"/api/v1/flows/{flow}/runs", json={"input": {"x": 2}}, headers=headers)
    assert (first.status_code, again.json(), other.status_code) == (202, first.json(), 409)
    run = first.json()["id"]
    async with a_worker():
        await wait_for(actor.workspace_id, run, "waiting")
        seen = (await client.get(f"/api/v1/runs/{run}", headers=key)).json()
        assert seen["needs_you"] and seen["steps"][1]["wait"]["title"] == "May it go out?"
        sent = await client.post(
            f"/api/v1/runs/{run}/signals/approval", json={"data": {"choice": "approve"}}, headers=key
        )
        assert sent.status_code == 202
        await wait_for(actor.workspace_id, run, "succeeded")
    stream = await client.get(f"/api/v1/runs/{run}/events", headers=key)
    ids = [int(line[4:]) for line in stream.text.splitlines() if line.startswith("id: ")]
    assert ids == list(range(1, len(ids) + 1))
    half = await client.get(f"/api/v1/runs/{run}/events", headers={**key, "last-event-id": str(ids[3])})
    assert f"id: {ids[4]}\n" in half.text and f"id: {ids[3]}\n" not in half.text


async def test_stream_sends_events_until_the_end(client, who):
    actor, key = who
    _, flow, _ = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    reply = await client.post(f"/api/v1/flows/{flow}/runs", json={"stream": True}, headers=key)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [msgspec.json.decode(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]
    assert events[0]["type"] == "run.started" and events[-1]["type"] == "run.succeeded"


async def test_somebody_elses_run_is_unknown(client, who):
    _, key = who
    stranger = await an_actor()
    _, flow, _ = await a_version(an_approval(), stranger.workspace_id)
    theirs = {"authorization": f"Bearer {await an_api_key(stranger)}"}
    run = (await client.post(f"/api/v1/flows/{flow}/runs", json={}, headers=theirs)).json()["id"]
    for method, path, body in (
        ("GET", f"/api/v1/runs/{run}", None),
        ("GET", f"/api/v1/runs/{run}/events", None),
        ("DELETE", f"/api/v1/runs/{run}", None),
        ("POST", f"/api/v1/runs/{run}/signals/approval", {}),
        ("POST", f"/api/v1/flows/{flow}/runs", {}),
    ):
        reply = await client.request(method, path, json=body, headers=key)
        assert reply.status_code == 404, (method, path, reply.text)
