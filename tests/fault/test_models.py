"""F-37: language models that refuse, hang, break off and talk nonsense."""

from collections import Counter
from uuid import UUID

import pytest

from app.gateway import service as gateway
from app.gateway.faults import RETRYABLE
from app.gateway.forms import ConnectForm
from app.runs import service
from flows.model import Edge, Flow, NodeUse, Retry
from tests.doubles.openai_script import Answer
from tests.doubles.openai_server import FakeOpenAI
from tests.factories.accounts import an_actor
from tests.fault.checker import check
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

WAIT, TIMEOUT, TRIES = 2.0, 4.0, 8
BAD = {
    "asks to wait": Answer(status=429, retry_after=WAIT),
    "error": Answer(status=500),
    "hangs": Answer(hang=True),
    "half a stream": Answer(text="one two three four five six", cut_after=3),
    "broken at once": Answer(text="one two", cut_after=0),
    "no json": Answer(malformed=True),
    "drips": Answer(text="a b c d e f g h i j", tokens_per_second=1.0),
}
FIRST, SECOND, ALONE = "compatible/fake-small", "compatible-2/fake-small", "compatible-3/fake-small"


def chatting(model: str) -> Flow:
    """The slow ones take longer than the step may."""
    return Flow(
        [
            NodeUse("start", "start.webhook"),
            NodeUse("chat", "ai.chat", settings={"model": model}, retry=Retry(TRIES, 0.2), timeout=TIMEOUT),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.body", "chat.message"), Edge("chat.text", "answer.text")],
        name=f"chats with {model}",
    )


async def test_f_37_models_that_refuse_hang_break_off_and_talk_nonsense(folder, full, chance):
    """All runs get their answer. No more calls than tries, the second model only after the first failed, a pause that
    was asked for is kept, and every call is on the bill once.
    """
    runs, bad = (300, 250) if full else (24, 21)
    with FakeOpenAI.running() as first, FakeOpenAI.running() as second, FakeOpenAI.running() as alone:
        kinds = [list(BAD)[i % len(BAD)] for i in range(bad)]
        chance.shuffle(kinds)
        first.script(*(BAD[kind] for kind in kinds))
        second.script(*(BAD[kind] for kind in chance.sample(kinds, bad // 3)))
        alone.script(*(BAD["asks to wait"] for _ in range(runs // 6)))
        async with world(folder, birth={"dead_after": 8.0}) as it:
            actor = await an_actor()
            it.in_workspace(actor.workspace_id)
            for fake in (first, second, alone):
                await gateway.connect(actor, ConnectForm("compatible", base_url=fake.url))
            for model, share in ((ALONE, runs // 6), (FIRST, runs)):
                [(workspace, version)] = await it.flow(chatting(model))
                for i in range(share):
                    await said(it, workspace, version, f"{model} {i}")
                await it.quiet(240)
                await gateway.add_fallback(actor, SECOND)  # from now on there is one
            for fake in (first, second, alone):
                assert not fake.settings.queue, f"{len(fake.settings.queue)} faults did not happen"
            it.note(f"misbehaved {len(kinds)} times")
            figures = await check(it)
            assert figures["succeeded"] == len(it.accepted), figures
            await no_more_calls_than_tries(it, first, second)
            await in_their_order(it)
            await pauses_are_kept(it)
            await billed_once(it, (first, second, alone))


async def said(it: World, workspace: UUID, version: UUID, text: str) -> None:
    it.accepted.append(
        await service.start(workspace, version, {"body": f"Say {text}"}, trigger="api", idempotency_key=text)
    )


async def no_more_calls_than_tries(it: World, first: FakeOpenAI, second: FakeOpenAI) -> None:
    """A try asks each model of its route once: the gateway has no retries of its own beside those of the step."""
    [[tries]] = await it.ask(
        """select count(*) from node_attempt a join run r on r.id = a.run_id join flow_version v on v.id = r.version_id
            where a.node_id = 'chat' and v.document->>'name' like $1""",
        f"%{FIRST}",
    )
    assert len(first.calls) <= 1.2 * tries and len(second.calls) <= len(first.calls)


async def in_their_order(it: World) -> None:
    """Before each call of the second model the first one failed, in a way that another may not."""
    rows = await it.ask(
        """select slug, lag(slug) over w as slug_before, lag(fault) over w as fault_before
             from (select m.*, c.slug from model_call m join connection c on c.id = m.connection_id
                    where m.run_id is not null) m
           window w as (partition by run_id order by created_at, id)"""
    )
    asked, later = FIRST.partition("/")[0], SECOND.partition("/")[0]
    seconds = [row for row in rows if row["slug"] == later]
    strange = [row for row in seconds if row["slug_before"] != asked or row["fault_before"] not in RETRYABLE]
    assert seconds and not strange, [dict(row) for row in strange[:3]]


async def pauses_are_kept(it: World) -> None:
    """Where there is no other model, a try that was asked to wait is followed by the next after that time."""
    rows = await it.ask(
        """select extract(epoch from b.started_at - a.started_at)::float8 - a.ms / 1000 as pause
             from node_attempt a join node_attempt b using (run_id, node_id, iter_path)
             join run r on r.id = a.run_id join flow_version v on v.id = r.version_id
            where b.attempt = a.attempt + 1 and a.outcome = 'backoff' and v.document->>'name' like $1""",
        f"%{ALONE}",
    )
    assert rows and all(row["pause"] >= WAIT - 0.1 for row in rows), sorted(row["pause"] for row in rows)[:3]


async def billed_once(it: World, fakes: tuple[FakeOpenAI, ...]) -> None:
    """One row for each call that was made, with its end; what a run costs is what its calls cost."""
    [[rows]] = await it.ask("select count(*) from model_call where kind = 'chat'")
    made = sum(1 for fake in fakes for call in fake.calls if call.path.endswith("/completions"))
    assert rows == made, f"{made} calls, {rows} on record"
    ends = Counter(row["outcome"] for row in await it.ask("select outcome from model_call"))
    assert not ends["running"], ends
    wrong = await it.ask(
        """select r.id, r.prompt_tokens, r.completion_tokens, r.cost_micros, c.prompt, c.completion, c.cost from run r
             join (select run_id, sum(prompt_tokens) as prompt, sum(completion_tokens) as completion,
                          sum(cost_micros) as cost from model_call group by 1) c on c.run_id = r.id
            where (r.prompt_tokens, r.completion_tokens, r.cost_micros) <> (c.prompt, c.completion, c.cost)"""
    )
    assert not wrong, f"{len(wrong)} runs cost something else than their calls: {[dict(row) for row in wrong[:3]]}"
