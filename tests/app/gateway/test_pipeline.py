"""The pipeline against the fake server: what callers get, what is reserved and logged, and what failures turn into."""

import asyncio
from uuid import uuid4

import pytest

from app.db import tenant_tx
from app.gateway import policy
from app.gateway.attempt import Watch
from app.gateway.calls import Target
from app.gateway.directory import Directory, FixedDirectories, Reached
from app.gateway.faults import Fault
from app.gateway.ledger import NoLedger, PostgresLedger, Purpose
from app.gateway.models import ModelInfo
from app.gateway.pipeline import Pipeline
from app.gateway.prices import Price
from app.gateway.vendors.openai import OpenAIVendor
from flows.sdk.capabilities import ChatReply, ChatRequest, Tool, Usage
from flows.sdk.values import Message
from tests.doubles.openai_script import Answer, ScriptedCall
from tests.factories.gateway import a_budget, settings_of, spending
from tests.factories.kernel import a_workspace

pytestmark = pytest.mark.anyio
PRICE = Price(1_000_000, 2_000_000)  # 1 and 2 dollars a million tokens
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
WEATHER = Tool("weather", "The weather of a place.", {"type": "object", "properties": {"place": {"type": "string"}}})


def ask(*texts: str, **more: object) -> ChatRequest:
    return ChatRequest([Message(text) for text in texts or ("Hello there",)], **more)  # type: ignore[arg-type]


def directory(fake, rev: int = 1, fallbacks: tuple[str, ...] = (), **model: object) -> Directory:
    models = {
        name: ModelInfo(name, **{"context": 8192, "price": PRICE, "tools": True, **model})  # type: ignore[arg-type]
        for name in ("small", "large")
    }
    reached = Reached(None, "fake", "Fake (test)", "compatible", fake.url, "sk-canary-123456", models=models)
    gone = Reached(None, "gone", "Switched off", "compatible", "http://127.0.0.1:9/v1")
    return Directory(rev, {"fake": reached, "gone": gone}, "fake/small", "fake/embed", fallbacks)


def pipeline(fake, ledger=None, **more: object) -> Pipeline:
    return Pipeline(FixedDirectories(directory(fake, **more)), ledger or NoLedger(), {"direct": OpenAIVendor()})


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.usage: list[Usage] = []

    @property
    def watch(self) -> Watch:
        return Watch(self.lines.append, self.usage.append)


@pytest.fixture
def heard() -> Heard:
    return Heard()


NOBODY = Purpose(uuid4())


async def all_of(stream) -> tuple[list[str], ChatReply]:
    parts = [part async for part in stream]
    assert [type(part) for part in parts[:-1]] == [str] * (len(parts) - 1)
    return parts[:-1], parts[-1]


async def test_an_answer_carries_its_text_model_tokens_and_cost(fake, heard):
    reply = await pipeline(fake).chat(NOBODY, ask("one two three"), heard.watch)
    assert (reply.text, reply.model) == ("You said: one two three", "fake/small")
    assert reply.usage == Usage(3, 5, 13) and heard.usage == [reply.usage]
    assert fake.calls[-1].key == "sk-canary-123456"


async def test_a_stream_is_the_same_answer_in_pieces(fake, heard):
    pieces, reply = await all_of(pipeline(fake).stream(NOBODY, ask("one two three"), heard.watch))
    assert len(pieces) == 5 and "".join(pieces) == reply.text == "You said: one two three"
    assert reply.usage == Usage(3, 5, 13)


async def test_only_what_was_asked_for_is_sent(fake, heard):
    await pipeline(fake).chat(NOBODY, ask("hi"), heard.watch)
    assert fake.calls[-1].body == {"model": "small", "messages": [{"role": "user", "content": "hi"}]}


FAILURES = [
    (
        Answer(status=401, error="Incorrect API key provided: sk-canary-123456."),
        "key",
        False,
        "Enter a new key under Connections",
    ),
    (Answer(status=403), "key", False, "was refused"),
    (Answer(status=429, retry_after=7), "rate", True, "asks to wait 7 s"),
    (
        Answer(status=429, error={"message": "You exceeded your current quota", "code": "insufficient_quota"}),
        "credit",
        False,
        "Top it up",
    ),
    (Answer(status=404), "unknown_model", False, "has no model 'small'"),
    (Answer(status=500), "overloaded", True, "an error of its own"),
    (
        Answer(status=400, error="top_k is not a parameter, sk-canary-123456"),
        "bad_request",
        False,
        "It said: top_k is not",
    ),
    (Answer(status=400, error={"message": "blocked", "code": "content_filter"}), "declined", False, "declined"),
    (Answer(malformed=True), "malformed", True, "text/html"),
    (Answer(text="a b c d", cut_after=2), "broken_off", True, "after 2 pieces"),
    (Answer(text="a b c d", cut_after=0), "broken_off", True, "before the first word"),
]


@pytest.mark.parametrize(("answer", "kind", "retry", "words"), FAILURES)
async def test_a_failure_is_told_in_our_words_and_never_with_the_key(fake, heard, answer, kind, retry, words):
    fake.script(answer)
    with pytest.raises(Fault, match=words) as failed:
        await all_of(pipeline(fake).stream(NOBODY, ask(), heard.watch))
    assert (failed.value.kind, failed.value.retry) == (kind, retry)
    assert "sk-canary" not in failed.value.message and "'Fake (test)'" in failed.value.message
    assert failed.value.retry_after == answer.retry_after


async def test_a_server_that_is_not_there_is_named_with_its_address(fake, heard):
    with pytest.raises(Fault, match=r"'Switched off' can't be reached at http://127\.0\.0\.1:9") as failed:
        await pipeline(fake).chat(NOBODY, ask(model="gone/any"), heard.watch)
    assert failed.value.kind == "unreachable" and failed.value.retry


async def test_a_server_that_never_answers_is_given_up(fake, heard):
    fake.script(Answer(hang=True))
    with pytest.raises(Fault, match="did not answer within 1 s") as failed:
        await pipeline(fake).chat(NOBODY, ask(), Watch(limit=1))
    assert failed.value.kind == "timeout"


async def test_after_a_passing_failure_the_fallback_answers_and_the_log_says_so(fake, heard):
    fake.script(Answer(status=500))
    reply = await pipeline(fake, fallbacks=("gone/any", "fake/large")).chat(NOBODY, ask(), heard.watch)
    assert reply.model == "fake/large"
    assert [line.split(". ")[-1] for line in heard.lines] == ["Asking gone/any instead.", "Asking fake/large instead."]


@pytest.mark.parametrize("answer", [Answer(status=401), Answer(text="a b c", cut_after=1)])
async def test_a_refused_key_and_a_broken_stream_do_not_fall_back(fake, heard, answer):
    fake.script(answer)
    with pytest.raises(Fault):
        await all_of(pipeline(fake, fallbacks=("fake/large",)).stream(NOBODY, ask(), heard.watch))
    assert len(fake.calls) == 1


async def test_structured_output_is_sent_strict_and_comes_back_parsed(fake, heard):
    reply = await pipeline(fake).chat(NOBODY, ask(schema=PERSON), heard.watch)
    assert reply.data == {"name": "text", "age": 0}
    sent = fake.calls[-1].body["response_format"]["json_schema"]
    assert sent["strict"] is True and sent["schema"] == PERSON


async def test_a_list_is_wrapped_for_the_vendor_and_unwrapped_for_the_caller(fake, heard):
    reply = await pipeline(fake).chat(NOBODY, ask(schema={"type": "array", "items": {"type": "string"}}), heard.watch)
    assert reply.data == ["text"]
    assert fake.calls[-1].body["response_format"]["json_schema"]["schema"]["type"] == "object"


async def test_a_wrong_shape_is_asked_for_once_more_and_both_calls_are_counted(fake, heard):
    fake.script(Answer(text='{"name": "Ann"}'), Answer(text='Sure! ```json\n{"name": "Ann", "age": 7}\n```'))
    reply = await pipeline(fake).chat(NOBODY, ask(schema=PERSON), heard.watch)
    assert reply.data == {"name": "Ann", "age": 7}
    assert "lacks 'age'" in fake.calls[-1].body["messages"][-1]["content"]
    assert len(heard.usage) == 2 and reply.usage.prompt_tokens == sum(u.prompt_tokens for u in heard.usage)


async def test_a_shape_that_stays_wrong_fails_with_the_reason(fake, heard):
    fake.script(Answer(text="no"), Answer(text='{"name": 1, "age": 2}'))
    with pytest.raises(Fault, match=r"twice\. 'name' must be of type string") as failed:
        await pipeline(fake).chat(NOBODY, ask(schema=PERSON), heard.watch)
    assert failed.value.kind == "schema"


@pytest.mark.parametrize("streamed", [True, False])
async def test_native_tool_calls_come_back_with_their_arguments(fake, heard, streamed):
    fake.script(Answer(tool_calls=[ScriptedCall("weather", {"place": "Köln"})]))
    if streamed:
        _, reply = await all_of(pipeline(fake).stream(NOBODY, ask(tools=(WEATHER,)), heard.watch))
    else:
        reply = await pipeline(fake).chat(NOBODY, ask(tools=(WEATHER,)), heard.watch)
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("weather", {"place": "Köln"})]
    assert fake.calls[-1].body["tools"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_model_without_tools_gets_them_as_a_shape(fake, heard, streamed):
    gateway = pipeline(fake, tools=False)
    fake.script(
        Answer(text='{"tool": "weather", "arguments": {"place": "Köln"}}'), Answer(text='{"answer": "It rains."}')
    )
    replies, pieces = [], []
    for _ in range(2):
        if streamed:
            said, reply = await all_of(gateway.stream(NOBODY, ask(tools=(WEATHER,)), heard.watch))
            pieces += said
        else:
            reply = await gateway.chat(NOBODY, ask(tools=(WEATHER,)), heard.watch)
        replies.append(reply)
    assert [(call.name, call.arguments) for call in replies[0].tool_calls] == [("weather", {"place": "Köln"})]
    assert replies[1].text == "It rains." and not replies[1].tool_calls
    assert "tools" not in fake.calls[-1].body and pieces == (["It rains."] if streamed else [])


async def test_a_model_that_turns_out_to_have_no_tools_is_remembered(fake, heard):
    gateway = pipeline(fake, tools=None)
    fake.script(Answer(status=400, error="small does not support tools"))
    fake.always(Answer(text='{"answer": "ok"}'))
    for _ in range(2):
        assert (await gateway.chat(NOBODY, ask(tools=(WEATHER,)), heard.watch)).text == "ok"
    assert len(fake.calls) == 3


async def test_the_oldest_turns_are_left_out_when_the_model_can_not_read_all_and_the_log_says_so(fake, heard):
    history = [Message("You are kind.", role="system")]
    for i in range(40):
        history += [Message(f"question {i} " * 20), Message(f"answer {i} " * 20, role="assistant")]
    request = ChatRequest([*history, Message("And now?")])
    await pipeline(fake, context=1000).chat(NOBODY, request, heard.watch)
    sent = fake.calls[-1].body["messages"]
    assert (sent[0]["content"], sent[1]["role"], sent[-1]["content"]) == ("You are kind.", "user", "And now?")
    assert len(sent) < 30 and "oldest turns were left out" in heard.lines[0]


async def test_a_context_known_only_to_the_server_is_learnt_from_its_refusal(fake, heard):
    request = ChatRequest([Message("word " * 100) for _ in range(20)])
    refusal = "maximum context length is 1024 tokens, however you sent 2600 tokens"
    fake.script(Answer(status=400, error=refusal))
    await pipeline(fake, context=0).chat(NOBODY, request, heard.watch)
    assert len(fake.calls) == 2 and len(fake.calls[-1].body["messages"]) < 10


async def test_one_text_that_is_too_long_by_itself_is_an_error_with_the_numbers(fake, heard):
    fake.always(Answer(status=400, error="maximum context length is 1024 tokens, however you sent 2600 tokens"))
    with pytest.raises(Fault, match=r"2,600 of 1,024 tokens") as failed:
        await pipeline(fake, context=0).chat(NOBODY, ask("word " * 2000), heard.watch)
    assert failed.value.kind == "too_long" and len(fake.calls) == 1


async def test_embeddings_come_back_in_order_and_are_counted(fake, heard):
    first, second = await pipeline(fake).embed(NOBODY, ["a b", "c"], "", heard.watch)
    again = await pipeline(fake).embed(NOBODY, ["c"], "fake/embed", heard.watch)
    assert again == [second] and first != second
    assert heard.usage[0].prompt_tokens == 3


async def test_a_call_nobody_should_make_is_refused_before_it_costs_anything(fake, heard):
    for request in (ChatRequest([]), ask("x" * (policy.MOST_BYTES + 1)), ask(max_tokens=0)):
        with pytest.raises(Fault) as refused:
            await pipeline(fake).chat(NOBODY, request, heard.watch)
        assert refused.value.kind == "policy"
    assert not fake.calls


async def test_a_vendor_that_only_workers_may_reach_says_so(fake, heard):
    there = directory(fake)
    there.connections["anthropic"] = Reached(None, "anthropic", "Claude", "anthropic")
    gateway = Pipeline(FixedDirectories(there), NoLedger(), {"direct": OpenAIVendor()})
    with pytest.raises(Fault, match="answered by a worker") as refused:
        await gateway.chat(NOBODY, ask(model="anthropic/claude-sonnet-4-5"), heard.watch)
    assert refused.value.kind == "needs_worker" and not refused.value.retry


# with the database ---------------------------------------------------------------------------------------------------


async def rows(workspace) -> list:
    async with tenant_tx(workspace) as tx:
        return list(await tx.fetch("select * from model_call order by created_at, id"))


async def test_every_try_is_a_row_with_what_it_used_and_how_it_ended(db, fake, heard):
    workspace, run, flow = await a_workspace(), uuid4(), uuid4()
    gateway = pipeline(fake, PostgresLedger(), rev=await settings_of(workspace), fallbacks=("fake/large",))
    fake.script(Answer(status=500))
    purpose = Purpose(workspace, flow, run, "answer", "visitor-1")
    await all_of(gateway.stream(purpose, ask("one two"), heard.watch))
    await gateway.drain()
    failed, ok = await rows(workspace)
    assert (failed["outcome"], failed["fault"], failed["model"]) == ("failed", "overloaded", "fake/small")
    assert (ok["outcome"], ok["prompt_tokens"], ok["completion_tokens"], ok["cost_micros"]) == ("ok", 2, 4, 10)
    assert (ok["flow_id"], ok["run_id"], ok["node_id"], ok["visitor"]) == (flow, run, "answer", "visitor-1")
    assert ok["first_token_ms"] is not None and ok["latency_ms"] >= ok["first_token_ms"] and ok["counted"]


async def test_a_listener_who_leaves_ends_the_call_and_pays_what_was_said(db, fake, heard):
    workspace = await a_workspace()
    await a_budget(workspace, 1_000_000)
    gateway = pipeline(fake, PostgresLedger(), rev=await settings_of(workspace))
    fake.script(Answer(text="word " * 200, tokens_per_second=100))
    stream = gateway.stream(Purpose(workspace), ask("one two"), heard.watch)
    async for _ in stream:
        break
    await stream.aclose()
    await gateway.drain()
    (row,) = await rows(workspace)
    assert (row["outcome"], row["counted"]) == ("cancelled", False) and 0 < row["cost_micros"] < 100
    assert await spending(workspace) == (row["cost_micros"], 0)
    await asyncio.sleep(0.1)
    assert fake.in_flight == 0


async def test_a_cancelled_call_gives_its_reservation_back(db, fake, heard):
    workspace = await a_workspace()
    await a_budget(workspace, 1_000_000)
    gateway = pipeline(fake, PostgresLedger(), rev=await settings_of(workspace))
    fake.script(Answer(hang=True))
    call = asyncio.create_task(gateway.chat(Purpose(workspace), ask(), heard.watch))
    await asyncio.sleep(0.2)
    assert (await spending(workspace))[1] > 0
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await gateway.drain()
    assert await spending(workspace) == (0, 0)


async def test_fifty_calls_through_the_pipeline_never_overspend_and_refusals_say_what_to_do(db, fake, heard):
    workspace = await a_workspace()
    await a_budget(workspace, 2_000)
    gateway = pipeline(fake, PostgresLedger(), rev=await settings_of(workspace))
    fake.always(Answer(text="a b c", first_token_ms=20, usage=(20, 60)))  # 140 each

    async def call() -> ChatReply | Fault:
        try:
            return await gateway.chat(Purpose(workspace), ask("hi", max_tokens=60), heard.watch)
        except Fault as fault:
            return fault

    results = await asyncio.gather(*(call() for _ in range(50)))
    refused = [result for result in results if isinstance(result, Fault)]
    assert refused and all(fault.kind == "budget" for fault in refused)
    assert "The workspace's budget is used up" in refused[0].message and "Raise the limit" in refused[0].message
    spent, held = await spending(workspace)
    assert held == 0 and spent == 140 * (50 - len(refused)) <= 2_000


async def test_under_a_budget_an_answer_without_a_limit_gets_the_reserved_one(db, fake, heard):
    workspace = await a_workspace()
    gateway = pipeline(fake, PostgresLedger(), rev=await settings_of(workspace))
    await gateway.chat(Purpose(workspace), ask(), heard.watch)
    await a_budget(workspace, 1_000_000)
    await gateway.chat(Purpose(workspace), ask(), heard.watch)
    assert ["max_tokens" in call.body for call in fake.calls] == [False, True]


async def test_many_calls_to_this_machine_wait_in_line_and_say_so(fake, heard):
    local = Reached(None, "local", "This machine", "local", fake.url)
    gateway = Pipeline(FixedDirectories(Directory(1, {"local": local})), NoLedger(), {"direct": OpenAIVendor()})
    fake.always(Answer(first_token_ms=30))
    await asyncio.gather(*(gateway.chat(NOBODY, ask(), heard.watch) for _ in range(8)))
    assert fake.most_in_flight <= 2
    assert len(heard.lines) == 6 and heard.lines[-1] == "Waiting for the model on this machine: 5 are ahead."


def test_a_target_never_shows_its_key():
    target = Target("a", "A", "openai", "direct", "m", key=Reached(None, "a", "A", "openai", key="x").key)
    assert isinstance(target, Target) and "sk-" not in repr(target)
