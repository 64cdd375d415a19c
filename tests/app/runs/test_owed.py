"""What a model cost goes on record together with the run that asked it: both, or neither; and nothing is forgotten."""

import asyncio
import sys
from uuid import UUID

import pytest

from app import config
from app.db import system_tx, tenant_tx
from app.errors import Unavailable
from app.gateway import service as gateway
from app.gateway.forms import ConnectForm
from app.gateway.jobs import release_expired
from app.runs import express
from flows.ledger.commit import Overloaded
from flows.model import Edge, Flow, NodeUse
from tests.doubles.openai_script import Answer, Model
from tests.factories.accounts import an_actor
from tests.factories.gateway import a_budget, spending
from tests.factories.runs import a_version

CHAT = Flow(
    [
        NodeUse("start", "start.webhook"),
        NodeUse("chat", "ai.chat", settings={"model": "compatible/fake-small"}),
        NodeUse("answer", "show.answer"),
    ],
    [Edge("start.body", "chat.message"), Edge("chat.text", "answer.text")],
    name="chat",
)
INPUT = {"method": "POST", "headers": {}, "query": {}, "body": "one two three"}


async def a_chat(engine, fake) -> tuple[UUID, express.Request]:
    fake.settings.models = [Model("fake-small", prompt_usd="0.001", completion_usd="0.002")]
    actor = await an_actor()
    await gateway.try_out(actor, await gateway.connect(actor, ConnectForm("compatible", base_url=fake.url)))
    fake.calls.clear()
    _, _, version = await a_version(CHAT, actor.workspace_id)
    return actor.workspace_id, express.Request(await engine.ready(version), INPUT, "webhook", patience=30)


async def calls_of(workspace: UUID) -> list[tuple[str, int, bool]]:
    """Of each call: how it ended, what it cost, whether it was committed together with its run."""
    async with tenant_tx(workspace) as tx:
        found = await tx.fetch(
            "select m.outcome, m.cost_micros, coalesce(m.xmin::text = r.xmin::text, false) as together"
            "  from model_call m left join run r on r.id = m.run_id where m.kind = 'chat' order by m.created_at"
        )
    return [tuple(row) for row in found]


async def test_the_cost_of_a_call_is_committed_together_with_its_run(engine, fake):
    workspace, request = await a_chat(engine, fake)
    done = await express.run(engine, request)
    assert (done.status, await calls_of(workspace)) == ("succeeded", [("ok", 3 * 1000 + 5 * 2000, True)]), fake.calls
    async with tenant_tx(workspace) as tx:
        assert await tx.fetchval("select cost_micros from run where id = $1", done.run_id) == 13_000


async def test_a_call_that_failed_is_committed_together_with_the_run_that_failed(engine, fake):
    workspace, request = await a_chat(engine, fake)
    fake.script(Answer(status=400, error="no"))
    assert (await express.run(engine, request)).status == "failed"
    assert await calls_of(workspace) == [("failed", 0, True)]


async def test_a_call_that_a_budget_counts_is_settled_at_once(engine, fake):
    """The next call of the same run must find what this one really cost, not what was held for it."""
    workspace, request = await a_chat(engine, fake)
    await a_budget(workspace, 100_000_000)
    await express.run(engine, request)
    assert await calls_of(workspace) == [("ok", 13_000, False)] and await spending(workspace) == (13_000, 0)


async def test_a_run_that_could_not_be_recorded_leaves_the_cost_of_its_call(engine, fake, monkeypatch):
    workspace, request = await a_chat(engine, fake)

    async def full(_row: object) -> None:
        raise Overloaded

    monkeypatch.setattr(engine.commits, "commit", full)
    with pytest.raises(Unavailable):
        await express.run(engine, request)
    await gateway.drain()
    assert await calls_of(workspace) == [("ok", 13_000, False)]


async def test_a_caller_who_leaves_while_the_record_is_written_leaves_the_cost_of_the_call(engine, fake, monkeypatch):
    workspace, request = await a_chat(engine, fake)
    there = asyncio.Event()

    async def never(_row: object) -> None:
        there.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(engine.commits, "commit", never)
    running = asyncio.create_task(express.run(engine, request))
    await asyncio.wait_for(there.wait(), 10)
    running.cancel()
    await asyncio.wait({running})
    await gateway.drain()
    assert await calls_of(workspace) == [("ok", 13_000, False)]


async def test_twins_of_one_idempotency_key_each_have_their_call_counted(engine, fake):
    """Two processes at the same moment: one record, two calls of the model, two costs."""
    workspace, request = await a_chat(engine, fake)
    keyed = express.Request(request.ready, INPUT, "webhook", idempotency_key="same", patience=30)
    run_id, _ = await express._begin(engine, keyed)
    both = await asyncio.gather(*(express._answer(engine, keyed, run_id) for _ in "ab"))
    assert {done.run_id for done, _ in both} == {run_id}
    assert [(outcome, cost) for outcome, cost, _ in await calls_of(workspace)] == [("ok", 13_000)] * 2


async def test_a_model_nobody_listens_to_answers_in_one_piece_and_others_word_by_word(engine, fake):
    _, request = await a_chat(engine, fake)
    await express.run(engine, request)
    events = [event async for event in express.stream(engine, request)]
    assert [bool(call.body.get("stream")) for call in fake.calls] == [False, True]
    assert len([event for event in events if event["type"] == "step.token"]) > 1


DIES = """
import asyncio, os, signal, sys
from uuid import UUID
from app import db
from app.runs import express, running
from flows.ledger import commit

async def main():
    await db.start("cli")
    host = await running.start("cli")
    async def killed(self, row):
        assert row.beside, "the model's answer is there, its cost goes with the record"
        os.kill(os.getpid(), signal.SIGKILL)
    commit.GroupCommit.commit = killed
    ready = await host.ready(UUID(sys.argv[1]))
    await express.run(host, express.Request(ready, {"body": "one two three"}, "webhook", patience=30))

asyncio.run(main())
"""


async def test_a_process_killed_between_answer_and_record_leaves_a_call_that_the_sweep_finds(engine, fake):
    workspace, request = await a_chat(engine, fake)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(request.ready.version_id), env=config.environment(config.settings())
    )
    assert await asyncio.wait_for(child.wait(), 60) == -9
    assert len(fake.calls) == 1 and await calls_of(workspace) == [("running", 0, False)]
    async with system_tx("test") as tx:
        assert not await tx.fetchval("select count(*) from run where workspace_id = $1", workspace)
        await tx.execute("update model_call set expires_at = now() where workspace_id = $1", workspace)
    assert await release_expired() >= 1
    assert await calls_of(workspace) == [("lost", 0, False)]
