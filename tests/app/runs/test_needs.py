"""What needs somebody: doubts with their evidence, settled one by one or together, on record who said it."""

import asyncio

import pytest

from app.db import system_tx, tenant_tx
from app.errors import Conflict
from app.runs import needs, service
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_version, a_worker, an_approval, wait_for


def sending() -> Flow:
    """A request without a key: nobody knows what became of it when the worker dies."""
    settings = {"method": "POST", "url": "http://127.0.0.1:1/pay", "body": "{{ value }}"}
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("pay", "connect.http", label="Pay it back", settings=settings),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.input", "pay.value"), Edge("pay.body", "answer.data")],
        name="refunds",
    )


async def in_doubt(actor, number=1):
    """Runs whose worker died in the middle of "pay"."""
    _, flow, version = await a_version(sending(), actor.workspace_id)
    ids = [await service.start(actor, version, {"n": n}, trigger="api") for n in range(number)]
    async with system_tx("test") as tx:
        for run in ids:
            await tx.execute(
                "update run set status = 'in_doubt', epoch = 2, started_at = now(), error = $2 where id = $1",
                run,
                '{"message": "Nobody knows.", "node": "pay"}',
            )
            for node, status, output in (
                ("start", "succeeded", '{"input": {"n": 1}, "values": {}}'),
                ("pay", "in_doubt", None),
            ):
                await tx.execute(
                    """insert into node_exec (run_id, node_id, workspace_id, status, attempt, epoch, effect_class,
                       idem_key, output, started_at)
                       values ($1::uuid, $2, $3, $4, 1, 1, 'at_most_once', $1::uuid::text || ':' || $2, $5, now())""",
                    run, node, actor.workspace_id, status, output,
                )  # fmt: skip
            await tx.execute(
                "insert into node_attempt (run_id, node_id, attempt, workspace_id, epoch) values ($1, 'pay', 1, $2, 1)",
                run,
                actor.workspace_id,
            )
    return flow, ids


async def test_doubts_questions_and_given_up_runs_are_one_list_oldest_first(engine):
    actor = await an_actor()
    _, (doubt,) = await in_doubt(actor)
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    async with a_worker():
        asked = await service.start(actor, version, {"token": "sk-live-0123456789abcdefghij"}, trigger="api")
        await wait_for(actor.workspace_id, asked, "waiting")
    dead = await service.start(actor, version, {}, trigger="api")
    async with system_tx("test") as tx:
        await tx.execute("update run set status = 'dead', crash_count = 5 where id = $1", dead)
    found = (await needs.needs(actor)).needs
    assert [(need.kind, need.run_id, need.title) for need in found] == [
        ("doubt", doubt, "Pay it back"), ("question", asked, "Approval"), ("dead", dead, "The whole run"),
    ]  # fmt: skip
    assert "sk-live" not in str(found)
    assert [need.kind for need in (await needs.needs(actor, kind="question")).needs] == ["question"]


async def test_saying_that_it_happened_gives_later_steps_what_was_said_and_is_on_record(engine):
    actor = await an_actor()
    _, (run,) = await in_doubt(actor)
    output = {"status": 200, "body": {"refund": 7}, "headers": {}}
    await service.decide(actor, run, "pay", "", happened=True, output=output)
    with pytest.raises(Conflict):
        await service.decide(actor, run, "pay", "", happened=False)
    async with a_worker():
        await wait_for(actor.workspace_id, run, "succeeded")
    async with tenant_tx(actor.workspace_id) as tx:
        told = await tx.fetchval("select data from event where type = 'run.decided'")
    assert '"happened": true' in told and actor.name in told


async def test_many_doubts_get_the_same_answer_and_those_settled_meanwhile_are_counted(signed_in):
    actor = signed_in.actor
    _, ids = await in_doubt(actor, 3)
    await service.decide(actor, ids[0], "pay", "", happened=True)
    page = await signed_in.get("/needs-you")
    assert "2 steps in doubt." in page.text
    ticked = [f"{run}|pay|" for run in ids]
    answer = await signed_in.post("/needs-you/decisions", data={"need": ticked, "happened": "yes"})
    assert answer.status_code in (200, 303)
    assert "had been settled before" in (await signed_in.get("/needs-you")).text
    assert not (await needs.needs(actor)).needs


async def test_an_outcome_that_comes_late_settles_the_doubt(engine):
    from flows.ledger.postgres import PostgresLedger
    from flows.ledger.protocol import Claim, LostRun, StepChange

    actor = await an_actor()
    _, (run,) = await in_doubt(actor)
    ledger = PostgresLedger(engine.pool)
    late = StepChange("pay", "", "succeeded", 1, "at_most_once", '{"status": 200, "body": {}, "headers": {}}', ms=5)
    with pytest.raises(LostRun):
        await asyncio.wait_for(ledger.write(Claim(str(run), 1), [late]), 10)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select status from run where id = $1", run)
        tried = await tx.fetchrow("select late, outcome from node_attempt where run_id = $1", run)
    assert row["status"] == "queued" and tried["late"] and tried["outcome"] == "succeeded"
    assert not (await needs.needs(actor)).needs


async def test_the_api_says_the_same(client, app):
    from tests.factories.accounts import an_api_key

    actor = await an_actor()
    key = {"authorization": f"Bearer {await an_api_key(actor)}"}
    _, ids = await in_doubt(actor, 2)
    listed = (await client.get("/api/v1/runs/needs?kind=doubt", headers=key)).json()
    assert [need["run_id"] for need in listed["needs"]] == [str(run) for run in ids]
    said = {"decisions": [{"run": str(run), "node": "pay", "happened": False} for run in ids]}
    answer = await client.post("/api/v1/runs/decisions", json=said, headers=key)
    assert answer.status_code == 200 and len(answer.json()["settled"]) == 2
    again = await client.post("/api/v1/runs/decisions", json=said, headers=key)
    assert len(again.json()["gone"]) == 2
