"""Large values in PostgreSQL: both lanes, pages and API, row security, what a crash leaves, what the sweep removes."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.db import system_tx, tenant_tx
from app.errors import NotFound
from app.runs import following, queries, replays, retention, service, values
from app.runs.viewing import view
from flows.ledger import postgres_values as verbs
from flows.model import Edge, Flow, NodeUse
from flows.stored import Lost, all_stored, reference
from tests.factories.accounts import an_actor, an_api_key
from tests.factories.runs import a_chain, a_version, a_worker, an_approval, wait_for

BIG = {"text": "ä" * 200_000, "list": list(range(20_000))}
SENT = {"method": "POST", "headers": {}, "query": {}, "body": BIG}


async def answered(actor: Any, flow: Flow | None = None) -> tuple[UUID, Any]:
    _, _, version = await a_version(flow or a_chain(3), actor.workspace_id)
    outcome = await service.answer(actor, version, SENT, trigger="webhook")
    return outcome.run_id, outcome


async def stored(workspace: UUID) -> tuple[int, int, int]:
    """Rows: values, pieces, names."""
    async with tenant_tx(workspace) as tx:
        tables = ("stored_value", "stored_piece", "run_value")
        return tuple([await tx.fetchval(f"select count(*) from {table}") for table in tables])


async def make_old(workspace: UUID, run: UUID | None = None) -> None:
    async with system_tx("test") as tx:
        await tx.execute(
            "update stored_value set touched_at = now() - interval '2 hours' where workspace_id = $1", workspace
        )
        await tx.execute(
            "update run_value set created_at = now() - interval '2 hours' where workspace_id = $1", workspace
        )
        if run is not None:
            await tx.execute("update run set finished_at = now() - interval '2 hours' where id = $1", run)


async def test_an_express_run_has_a_small_row_and_a_whole_answer(engine):
    actor = await an_actor()
    run_id, outcome = await answered(actor)
    assert outcome.status == "succeeded" and outcome.output["data"]["text"] == BIG["text"]
    async with tenant_tx(actor.workspace_id) as tx:
        size = await tx.fetchval("select length(steps::text) + length(output::text) from run where id = $1", run_id)
    assert size < 40_000
    view = await queries.run(actor, run_id)
    assert all(all_stored(step.output) for step in view.steps)
    whole = await queries.whole_run(actor, run_id)
    assert (
        whole.output["data"]["text"] == BIG["text"] and whole.steps[1].inputs["object"] == whole.steps[0].output["body"]
    )


async def test_the_same_key_gives_the_whole_answer_again(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3), actor.workspace_id)
    first = await service.answer(actor, version, SENT, trigger="webhook", idempotency_key="k")
    again = await service.answer(actor, version, SENT, trigger="webhook", idempotency_key="k")
    assert again == first


async def test_a_durable_run_hands_a_large_value_through_a_pause_a_worker_and_a_replay(engine):
    actor = await an_actor()
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    async with a_worker():
        run_id = await service.start(actor, version, {"big": BIG}, trigger="api")
        await wait_for(actor.workspace_id, run_id, "waiting")
        await service.signal(actor, run_id, "approval", {"choice": "approve"})
        row = await wait_for(actor.workspace_id, run_id, "succeeded", "failed")
        assert row["status"] == "succeeded" and len(row["output"]) < 10_000
        state = await following.state(actor.workspace_id, run_id)
        assert state.output["data"]["big"] == BIG
        async for event in service.follow(actor, run_id):
            if event["type"] == "run.succeeded":
                assert event["output"]["data"]["big"] == BIG
        again = await replays.replay(actor, run_id, from_step="answer")
        assert (await wait_for(actor.workspace_id, again, "succeeded", "failed"))["status"] == "succeeded"
    assert (await queries.whole_run(actor, again)).output["data"]["big"] == BIG
    assert await stored(actor.workspace_id) == (1, 1, 2)


async def test_attack_a_value_is_there_for_its_run_and_its_workspace_only(engine):
    mine, other = await an_actor(), await an_actor()
    run_id, _ = await answered(mine)
    theirs, _ = await answered(other, a_chain(4))
    hash = all_stored((await queries.run(mine, run_id)).output)[0].hash
    assert (await values.content(mine, run_id, hash)).media_type == "application/json"
    for actor, run in ((other, run_id), (other, uuid4()), (mine, theirs), (mine, uuid4())):
        with pytest.raises(NotFound, match="not kept any more"):
            await values.content(actor, run, hash)
    for odd in ("", "../x", "0" * 63, "Z" * 64, "0" * 64 + "'"):
        with pytest.raises(NotFound):
            await values.content(mine, run_id, odd)
    async with tenant_tx(other.workspace_id) as tx:  # even in a transaction of their own, by the run's id
        with pytest.raises(Lost):
            await verbs.fetch(tx, run_id, hash)
        with pytest.raises(Exception, match="row-level security|foreign key"):
            await verbs.keep(tx, run_id, {"0" * 64: b"1"}, mine.workspace_id)
    async with tenant_tx(other.workspace_id) as tx:
        with pytest.raises(Exception, match="foreign key"):  # to name what another workspace has stored
            await tx.execute(verbs.NAME, other.workspace_id, theirs, "ab" * 32, False)


async def test_attack_a_reference_that_somebody_sends_is_a_value_like_any_other(engine):
    actor = await an_actor()
    run_id, _ = await answered(actor)
    known = all_stored((await queries.run(actor, run_id)).output)[0]
    _, _, version = await a_version(a_chain(3), actor.workspace_id)
    forged = {**SENT, "body": {"$stored": msgspec.to_builtins(known)}}
    outcome = await service.answer(actor, version, forged, trigger="webhook")
    assert outcome.output["data"]["$stored"]["hash"] == known.hash
    whole = await queries.whole_run(actor, outcome.run_id)
    assert whole.output["data"]["$stored"]["hash"] == known.hash, "not what it points to"


async def test_secrets_are_left_out_of_a_download(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_chain(3), actor.workspace_id)
    secret = {**SENT, "body": {"text": "x" * 300_000, "password": "hunter2hunter2"}}
    outcome = await service.answer(actor, version, secret, trigger="webhook")
    hash = all_stored((await queries.run(actor, outcome.run_id)).output)[0].hash
    body = (await values.content(actor, outcome.run_id, hash)).body
    assert b"hunter2" not in body and b"hidden" in body


async def test_values_go_with_the_last_run_that_names_them(engine):
    actor = await an_actor()
    first, _ = await answered(actor)
    second, _ = await answered(actor)
    before = await stored(actor.workspace_id)
    assert before[0] >= 1 and before[2] == 2 * before[0]
    async with system_tx("test") as tx:
        await tx.execute("delete from run where id = $1", first)
    await make_old(actor.workspace_id)
    await values.forget_values()
    assert await stored(actor.workspace_id) == (before[0], before[1], before[0])
    assert (await queries.whole_run(actor, second)).output["data"]["text"] == BIG["text"]
    async with system_tx("test") as tx:
        await tx.execute("update run set finished_at = now() - interval '200 days' where id = $1", second)
    await retention.forget_old()
    await values.forget_values()
    assert await stored(actor.workspace_id) == (0, 0, 0)


async def test_what_a_crash_left_between_storage_and_record_is_swept_once_the_run_has_ended(engine):
    actor = await an_actor()
    run_id, _ = await answered(actor)
    named = (await stored(actor.workspace_id))[0]
    raw = msgspec.json.encode("left behind" * 50_000)
    async with system_tx("test") as tx:
        await verbs.keep(tx, run_id, {reference(raw).hash: raw})
        await verbs.keep(tx, uuid4(), {reference(raw).hash: raw}, actor.workspace_id)  # express: its record never came
    await values.forget_values()
    assert (await stored(actor.workspace_id))[0] == named + 1, "it may still be on its way"
    await make_old(actor.workspace_id, run_id)
    await values.forget_values()
    assert (await stored(actor.workspace_id))[0] == named
    assert (await queries.whole_run(actor, run_id)).output["data"]["text"] == BIG["text"]


async def test_a_sweep_at_the_same_moment_takes_nothing_that_is_being_stored(engine):
    actor = await an_actor()
    raw = msgspec.json.encode("again" * 100_000)
    hash = reference(raw).hash
    async with system_tx("test") as tx:
        await verbs.keep(tx, uuid4(), {hash: raw}, actor.workspace_id)
        await tx.execute("delete from run_value where workspace_id = $1", actor.workspace_id)
    run_id, _ = await answered(actor)
    await make_old(actor.workspace_id)
    async with system_tx("test") as tx:
        await verbs.keep(tx, run_id, {hash: raw})
        sweeping = asyncio.create_task(values.forget_values())
        await asyncio.wait({sweeping}, timeout=0.3)
    await sweeping
    async with tenant_tx(actor.workspace_id) as tx:
        assert await verbs.fetch(tx, run_id, hash) == raw


async def test_a_damaged_piece_is_noticed_and_named(engine):
    actor = await an_actor()
    run_id, _ = await answered(actor)
    async with system_tx("test") as tx:
        await tx.execute("update stored_piece set content = 'x' where workspace_id = $1", actor.workspace_id)
    hash = all_stored((await queries.run(actor, run_id)).output)[0].hash
    with pytest.raises(NotFound, match=f"value {hash[:12]}… is damaged in storage"):
        await values.content(actor, run_id, hash)


async def test_the_page_shows_the_beginning_and_gives_all_of_it_and_so_does_the_api(signed_in):
    page, actor = signed_in, signed_in.actor
    run_id, _ = await answered(actor)
    text = (await page.get(f"/runs/{run_id}")).text
    link = re.search(rf'href="(/runs/{run_id}/values/[0-9a-f]{{64}})"', text)
    assert link is not None and "this is its beginning" in text and len(text) < 200_000
    got = await page.get(link[1])
    assert got.status_code == 200 and "attachment" in got.headers["content-disposition"]
    assert got.json()["text"] == BIG["text"]
    key = {"authorization": f"Bearer {await an_api_key(actor)}"}
    twin = await page.get("/api/v1" + link[1], headers=key)
    assert twin.json() == got.json()
    assert (await page.get(f"/runs/{uuid4()}/values/{'0' * 64}")).status_code == 404


def test_a_large_value_is_shown_with_what_it_is():
    shown = view({"text": {"$stored": msgspec.to_builtins(reference(msgspec.json.encode("x" * 400_000)))}})
    assert (shown.fields[0][1].shape, shown.fields[0][1].words) == ("large", "A text of 400,000 characters, 400.0 kB")


async def test_a_workspace_may_have_a_limit_of_its_own_in_both_lanes(engine):
    actor = await an_actor()
    async with system_tx("test") as tx:
        await tx.execute("insert into run_quota (workspace_id, value_bytes) values ($1, 1048576)", actor.workspace_id)
    made = a_chain(3, start="start.api")
    made.nodes[1] = NodeUse("s0", "code.python", settings={"code": "return 'x' * 1_500_000"})
    made.edges = [Edge("start.input", "s0.value"), Edge("s0.result", "answer.data")]
    _, _, version = await a_version(made, actor.workspace_id)
    said = "'result' of step 's0' is 1.4 MB; at most 1 MB of one value are kept."
    outcome = await service.answer(actor, version, {}, trigger="api")
    assert outcome.status == "failed" and outcome.error.startswith(said), outcome.error
    async with a_worker():
        run_id = await service.start(actor, version, {}, trigger="api")
        row = await wait_for(actor.workspace_id, run_id, "succeeded", "failed")
        assert said in row["error"]
