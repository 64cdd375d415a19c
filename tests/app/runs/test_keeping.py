"""Kept results in the tables of their workspace: both lanes, row security, marks on the record, housekeeping."""

from uuid import UUID

import pytest

from app.db import system_tx, tenant_tx
from app.runs import keeping, queries, replays, service
from app.runs.keeping import KEPT
from flows.ledger import keeping as verbs
from flows.model import Flow
from tests.factories.accounts import an_actor
from tests.factories.runs import a_chain, a_version, a_worker, wait_for

KEY = b"k" * 32


def a_keeping_flow() -> Flow:
    """The middle one of three steps keeps its results."""
    made = a_chain(3)
    made.nodes[1].keep = 600
    return made


async def rows(workspace) -> int:
    async with tenant_tx(workspace) as tx:
        return await tx.fetchval("select count(*) from step_cache")


async def test_attack_what_a_workspace_keeps_is_not_there_for_another(db):
    mine, other = await an_actor(), await an_actor()
    await KEPT.keep(str(mine.workspace_id), KEY, "ai.chat", '{"text":"secret"}', 60)
    assert await KEPT.recall(str(mine.workspace_id), KEY) == '{"text":"secret"}'
    assert await KEPT.recall(str(other.workspace_id), KEY) is None
    async with tenant_tx(other.workspace_id) as tx:  # even by name of the other workspace
        assert await verbs.recall(tx, str(mine.workspace_id), KEY) is None
        with pytest.raises(Exception, match="row-level security"):
            await verbs.keep(tx, str(mine.workspace_id), b"x", "ai.chat", '{"text":"planted"}', 60)
    assert await rows(mine.workspace_id) == 1 and await rows(other.workspace_id) == 0


async def test_what_is_out_of_date_or_too_much_goes_the_oldest_first(db, monkeypatch):
    actor = await an_actor()
    workspace = str(actor.workspace_id)
    await KEPT.keep(workspace, b"old", "t", '"x"', 0.000001)
    for n in range(5):
        await KEPT.keep(workspace, bytes([n]), "t", '"' + "y" * 98 + '"', 60)
    monkeypatch.setattr(keeping, "MOST_BYTES", 250)
    assert await keeping.forget_kept() >= 4
    async with system_tx("test") as tx:
        left = await tx.fetch("select key from step_cache where workspace_id = $1 order by created_at", workspace)
    assert [row["key"] for row in left] == [bytes([3]), bytes([4])]


async def marked(actor, run_id) -> list[str]:
    return [step.node for step in (await queries.run(actor, run_id)).steps if step.kept]


async def test_a_second_run_takes_the_kept_result_and_a_run_afresh_does_not(engine):
    actor = await an_actor()
    _, _, version = await a_version(a_keeping_flow(), actor.workspace_id)
    sent = {"method": "POST", "headers": {}, "query": {}, "body": {"a": 1}}
    runs = [await service.answer(actor, version, sent, trigger="webhook") for _ in range(2)]
    runs.append(await service.answer(actor, version, sent, trigger="webhook", afresh=True))
    assert [await marked(actor, run.run_id) for run in runs] == [[], ["s0"], []]
    assert runs[0].output == runs[1].output and await rows(actor.workspace_id) == 1


async def test_a_run_again_takes_what_is_kept_and_with_nothing_kept_it_does_not(signed_in):
    actor = signed_in.actor
    sent = {"method": "POST", "headers": {}, "query": {}, "body": {"a": 1}}
    _, _, version = await a_version(a_keeping_flow(), actor.workspace_id)
    first = (await service.answer(actor, version, sent, trigger="webhook")).run_id
    assert "Run again, nothing kept" in (await signed_in.get(f"/runs/{first}")).text
    form = (await signed_in.get(f"/runs/{first}/replays/new?afresh=true")).text
    assert 'name="afresh" value="yes" checked' in form
    async with a_worker():
        runs = [await replays.replay(actor, first, afresh=afresh) for afresh in (False, True)]
        answer = await signed_in.post(f"/runs/{first}/replays", data={"from_step": "", "afresh": "yes"})
        runs.append(UUID(answer.headers["location"].rpartition("/")[2]))
        for run in runs:
            await wait_for(actor.workspace_id, run, "succeeded")
    assert [await marked(actor, run) for run in runs] == [["s0"], [], []]


async def test_the_durable_lane_takes_what_the_other_lane_has_kept_and_obeys_run_afresh(engine):
    actor = await an_actor()
    sent = {"method": "POST", "headers": {}, "query": {}, "body": {"a": 1}}
    _, _, version = await a_version(a_keeping_flow(), actor.workspace_id)
    await service.answer(actor, version, sent, trigger="webhook")
    async with a_worker():
        runs = [await service.start(actor, version, sent, trigger="webhook", afresh=afresh) for afresh in (False, True)]
        for run in runs:
            await wait_for(actor.workspace_id, run, "succeeded")
    assert [await marked(actor, run) for run in runs] == [["s0"], []]
