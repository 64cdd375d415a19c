"""The bundled model, for real: answers, streams, keeps a shape, uses tools by a shape, forgets the oldest turns."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from app import config
from app.gateway import directory, queries, running, service
from app.gateway.adapter import llm_for
from app.gateway.attempt import Watch
from app.gateway.ledger import Purpose
from flows.sdk.capabilities import ChatReply, ChatRequest, Tool
from flows.sdk.context import Context, RunFacts
from flows.sdk.values import Message
from tests.factories.accounts import an_actor

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _local(settings, local_model_url):
    with config.using(local_model_url=local_model_url):
        yield


def step(workspace: UUID | str, **more) -> tuple[Context, list[dict]]:
    events: list[dict] = []
    facts = RunFacts(
        "0199d5e0-0000-7000-8000-00000000000a", {}, workspace_id=str(workspace), emit=events.append, **more
    )
    return Context(facts, "answer", needs=("llm",)), events


async def test_a_step_of_a_fresh_workspace_gets_an_answer_without_any_setup(db):
    actor = await an_actor()
    ctx, _ = step(actor.workspace_id)
    reply = await llm_for(ctx).chat(ChatRequest([Message("What is 2+2?")], temperature=0, max_tokens=30))
    assert "4" in reply.text and reply.model == "local/smollm2-135m-instruct"
    assert ctx.usage is not None and ctx.usage.completion_tokens > 0 and ctx.usage.cost_micros == 0
    (call,) = await queries.calls(actor, run_id=UUID(ctx.run_id))
    assert (call.outcome, call.node_id, call.model) == ("ok", "answer", reply.model)


async def test_it_streams(db):
    ctx, _ = step((await an_actor()).workspace_id)
    parts = [part async for part in llm_for(ctx).stream(ChatRequest([Message("Count to five.")], max_tokens=30))]
    assert len(parts) > 3 and isinstance(parts[-1], ChatReply) and "".join(parts[:-1]) == parts[-1].text


async def test_it_answers_on_a_file_run_without_workspace_or_database():
    ctx, _ = step("")
    reply = await llm_for(ctx).chat(ChatRequest([Message("What is 2+2?")], temperature=0, max_tokens=30))
    assert "4" in reply.text


async def test_a_fixed_shape_is_kept(db):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": False,
    }
    ctx, _ = step((await an_actor()).workspace_id)
    request = ChatRequest([Message("Name a city and say whether it is large.")], schema=schema, max_tokens=100)
    data = (await llm_for(ctx).chat(request)).data
    assert set(data) == {"city", "large"} and isinstance(data["large"], bool)


async def test_tools_are_offered_as_a_shape(db):
    tool = Tool("weather", "The weather of a place.", {
        "type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"],
        "additionalProperties": False,
    })  # fmt: skip
    ctx, _ = step((await an_actor()).workspace_id)
    request = ChatRequest([Message("Use the tool weather for Paris.")], tools=(tool,), max_tokens=100)
    reply = await llm_for(ctx).chat(request)
    assert reply.text or [call.name for call in reply.tool_calls] == ["weather"]


async def test_a_long_conversation_still_gets_an_answer_and_the_log_says_what_was_left_out(db, monkeypatch):
    small = [msgspec.structs.replace(info, context=400) for info in directory.BUNDLED]
    monkeypatch.setattr(directory, "BUNDLED", small)  # reading 2,048 tokens takes a busy core a minute
    ctx, events = step((await an_actor()).workspace_id)
    history = []
    for i in range(60):
        history += [Message(f"Tell me about plant {i}. " * 12), Message(f"Plant {i} is green. " * 12, role="assistant")]
    reply = await llm_for(ctx).chat(ChatRequest([*history, Message("What is 2 + 2?")], max_tokens=20))
    assert reply.text
    logged = [event["text"] for event in events if event["type"] == "step.log"]
    assert any("oldest turns were left out" in line for line in logged)


async def test_more_calls_than_it_can_take_wait_and_all_are_answered(db):
    workspace = (await an_actor()).workspace_id
    steps = [step(workspace) for _ in range(5)]
    request = ChatRequest([Message("Say yes.")], max_tokens=5)
    replies = await asyncio.gather(*(llm_for(ctx).chat(request) for ctx, _ in steps))
    assert all(isinstance(reply, ChatReply) for reply in replies)
    logged = [event["text"] for _, events in steps for event in events if event["type"] == "step.log"]
    assert any("Waiting for the model on this machine" in line for line in logged)


async def test_its_trial_on_the_connections_page(db):
    actor = await an_actor()
    (connection,) = (await queries.overview(actor)).connections
    trial = await service.try_out(actor, connection.id)
    assert trial.status == "ready" and trial.said and trial.cost_micros == 0, trial
    assert next(check for check in trial.checks if check.title == "Fixed answer shapes").state == "yes"


async def test_embeddings_of_the_workspace_are_the_bundled_ones(db):
    workspace = (await an_actor()).workspace_id
    vectors = await running.pipeline().embed(Purpose(workspace), ["a cat", "a kitten"], "", Watch())
    assert [len(vector) for vector in vectors] == [384, 384]
