"""The same flow gives the same result in both lanes, and both leave a record."""

from uuid import uuid4

import msgspec
import pytest

from app.db import tenant_tx
from app.errors import Conflict, NotFound
from app.runs import service
from flows.model import Edge, Flow, NodeUse
from tests.factories.kernel import a_workspace
from tests.factories.runs import a_chain, a_version, a_worker, an_approval, wait_for

SENT = {"method": "POST", "headers": {}, "query": {}, "body": {"a": 1}}
GIVES = {"text": "", "data": {"a": 1, "n0": "0", "n1": "1"}}


async def test_express_run_is_on_record_when_the_answer_is_there(engine):
    workspace, _, version = await a_version(a_chain(4))
    outcome = await service.answer(workspace, version, SENT, trigger="webhook")
    assert (outcome.status, outcome.output) == ("succeeded", GIVES)
    async with tenant_tx(workspace) as tx:
        row = await tx.fetchrow("select * from run where id = $1", outcome.run_id)
    assert (row["status"], row["lane"], msgspec.json.decode(row["output"])) == ("succeeded", "express", GIVES)
    assert [step["node"] for step in msgspec.json.decode(row["steps"])] == ["start", "s0", "s1", "answer"]


async def test_durable_run_of_the_same_flow_gives_the_same(engine):
    workspace, _, version = await a_version(a_chain(4))
    async with a_worker():
        run = await service.start(workspace, version, SENT, trigger="api")
        row = await wait_for(workspace, run, "succeeded", "failed", "in_doubt")
    assert (row["status"], row["lane"], msgspec.json.decode(row["output"])) == ("succeeded", "normal", GIVES)
    async with tenant_tx(workspace) as tx:
        steps = await tx.fetch("select node_id, status from node_exec where run_id = $1", run)
        numbers = [r["seq"] for r in await tx.fetch("select seq from run_event where run_id = $1 order by seq", run)]
    assert {(s["node_id"], s["status"]) for s in steps} == {(n, "succeeded") for n in ("start", "s0", "s1", "answer")}
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_run_waits_for_a_person_without_a_worker_and_goes_on_with_the_answer(engine):
    workspace, _, version = await a_version(an_approval())
    async with a_worker() as worker:
        run = await service.start(workspace, version, {"order": 7}, trigger="api")
        row = await wait_for(workspace, run, "waiting")
        assert row["owner_worker"] is None and row["awaits"] == ["approval", "approval\x1eask"]
        while worker.busy:
            pass
        for _ in range(3):
            await service.signal(workspace, run, "approval", {"choice": "approve"}, dedupe_key="click")
            if (await wait_for(workspace, run, "waiting", "queued", "running", "succeeded"))["status"] == "succeeded":
                break
        row = await wait_for(workspace, run, "succeeded", "failed")
    assert msgspec.json.decode(row["output"])["data"] == {"order": 7}


async def test_a_cancelled_wait_ends_at_once(engine):
    workspace, _, version = await a_version(an_approval())
    async with a_worker():
        run = await service.start(workspace, version, {}, trigger="api")
        await wait_for(workspace, run, "waiting")
        assert await service.cancel(workspace, run) == "cancelled"
        assert await service.cancel(workspace, run) == "over"
    with pytest.raises(Conflict, match="has ended"):
        await service.signal(workspace, run, "approval", {"choice": "approve"})


async def test_answer_on_a_durable_flow_waits_for_the_worker(engine):
    flow = Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("nap", "logic.wait", settings={"amount": 0.05, "unit": "seconds"}),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.input", "nap.value"), Edge("nap.value", "answer.data")],
    )
    workspace, _, version = await a_version(flow)
    async with a_worker():
        outcome = await service.answer(workspace, version, {"x": 1}, trigger="api")
        types = [event["type"] async for event in service.stream(workspace, version, {"x": 2}, trigger="api")]
    assert (outcome.status, outcome.output["data"]) == ("succeeded", {"x": 1})
    assert types[0] == "run.queued" and types[-1] == "run.succeeded" and "step.succeeded" in types


async def test_the_same_key_gives_the_same_run_in_both_lanes(engine):
    workspace, _, version = await a_version(a_chain(3))
    key = str(uuid4())
    first = await service.answer(workspace, version, SENT, trigger="api", idempotency_key=key)
    second = await service.answer(workspace, version, SENT, trigger="api", idempotency_key=key)
    assert first == second
    with pytest.raises(Conflict, match="another input"):
        await service.answer(workspace, version, {"body": 2}, trigger="api", idempotency_key=key)
    third = await service.start(workspace, version, SENT, trigger="api", idempotency_key="durable")
    assert third == await service.start(workspace, version, SENT, trigger="api", idempotency_key="durable")


async def test_the_version_of_another_workspace_answers_like_an_unknown_one(engine):
    _, _, version = await a_version(a_chain(3))
    other = await a_workspace()
    for strange in (version, uuid4()):
        with pytest.raises(NotFound, match="This version of the flow does not exist"):
            await service.answer(other, strange, {}, trigger="api")


async def test_stream_ends_with_the_result_and_names_its_run(engine):
    workspace, _, version = await a_version(a_chain(3))
    events = [event async for event in service.stream(workspace, version, SENT, trigger="site")]
    assert events[0]["type"] == "run.started" and events[-1]["type"] == "run.succeeded"
    assert len({event["run"] for event in events}) == 1
    async with tenant_tx(workspace) as tx:
        assert await tx.fetchval("select count(*) from run where status = 'succeeded'") == 1
