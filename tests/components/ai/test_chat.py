from typing import Any

import pytest

from components.ai.chat import AnswerField, Inputs, Settings, chat
from flows.sdk import ChatReply, Message, NodeError, Usage
from flows.sdk.testing import FakeLlm, context

TURNS = [Message("1"), Message("2", "assistant"), Message("3"), Message("4", "assistant")]


async def test_the_answer_streams_in_pieces_and_is_given_whole():
    ctx = context(llm=FakeLlm("Hello there friend"))
    out = await chat.run(Settings(instructions="Be kind."), Inputs(Message("Hi")), ctx)
    assert ctx.said == ["Hello", " there", " friend"]
    assert out.text == "Hello there friend" and ctx.usage is not None and ctx.usage.completion_tokens == 3


@pytest.mark.parametrize(("remember", "turns"), [(0, []), (2, ["3", "4"]), (20, ["1", "2", "3", "4"])])
async def test_the_model_reads_instructions_then_the_last_turns_then_the_message(remember, turns):
    ctx = context()
    settings = Settings(instructions="Be kind.", remember=remember, temperature=0.5, max_tokens=9, model="c/m")
    await chat.run(settings, Inputs(Message("now"), TURNS), ctx)
    asked = ctx.fake_llm.asked[0]
    assert [m.text for m in asked.messages] == ["Be kind.", *turns, "now"]
    assert asked.messages[0].role == "system"
    assert (asked.model, asked.temperature, asked.max_tokens, asked.schema) == ("c/m", 0.5, 9, None)


async def test_without_instructions_there_is_no_system_message():
    ctx = context()
    await chat.run(Settings(), Inputs(Message("now")), ctx)
    assert [m.role for m in ctx.fake_llm.asked[0].messages] == ["user"]


SHAPE = Settings(answer_fields=[AnswerField("city", description="Where"), AnswerField("sure", "yes/no")])


async def test_a_fixed_shape_is_asked_for_by_schema_and_each_field_is_an_output():
    ctx = context(llm=FakeLlm(ChatReply("{}", "m", Usage(1, 1, 5), {"city": "Rome", "sure": True, "more": 1})))
    out = await chat.run(SHAPE, Inputs(Message("Hi")), ctx)
    assert out.values == {"city": "Rome", "sure": True} == out.data and ctx.said == []
    schema: Any = ctx.fake_llm.asked[0].schema
    assert schema["required"] == ["city", "sure"] and schema["properties"]["city"]["description"] == "Where"
    assert {p.name: p.type for p in chat.ports(SHAPE).outputs} == {
        "text": "text",
        "data": "object",
        "model": "text",
        "city": "text",
        "sure": "yesno",
    }


@pytest.mark.parametrize("data", [None, "Rome", {"city": "Rome"}])
async def test_an_answer_of_another_shape_is_refused_and_may_be_tried_again(data):
    ctx = context(llm=FakeLlm(ChatReply("…", "tiny", data=data)))
    with pytest.raises(NodeError, match="larger model") as refused:
        await chat.run(SHAPE, Inputs(Message("Hi")), ctx)
    assert refused.value.field == "answer_fields" and refused.value.retry


async def test_a_refusal_of_the_model_passes_through():
    ctx = context(llm=FakeLlm(NodeError("The key of connection 'X' was refused (401).")))
    with pytest.raises(NodeError, match="refused"):
        await chat.run(Settings(), Inputs(Message("Hi")), ctx)


def test_a_variable_in_the_instructions_is_an_input():
    names = [port.name for port in chat.ports(Settings(instructions="Use only {{ passages }}.")).inputs]
    assert names == ["message", "history", "passages"]


def test_an_answer_field_may_not_take_the_name_of_a_fixed_output():
    with pytest.raises(NodeError, match="'text' is taken"):
        chat.ports(Settings(answer_fields=[AnswerField("text")]))


TRIP = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where."},
        "people": {"type": "array", "items": {"type": "object"}},
        "sure": {"type": "boolean"},
    },
    "required": ["city"],
    "additionalProperties": False,
}


def test_the_fields_of_a_shape_are_outputs_with_their_types():
    outputs = {port.name: port for port in chat.ports(Settings(answer=TRIP)).outputs}
    assert {name: port.type for name, port in outputs.items()} == {
        "text": "text", "data": "object", "model": "text", "city": "text", "people": "list", "sure": "yesno",
    }  # fmt: skip
    assert outputs["city"].description == "Where."
    odd = {"type": "object", "properties": {"two words": {}, "any": True, "several": {"type": ["string", "null"]}}}
    assert [port.type for port in chat.ports(Settings(answer=odd)).outputs[-2:]] == ["any", "any"]
    with pytest.raises(NodeError, match="'model' is taken") as refused:
        chat.ports(Settings(answer={"type": "object", "properties": {"model": {}}}))
    assert refused.value.field == "answer"


async def test_a_shape_goes_to_the_model_and_a_field_it_lacks_is_none_or_refused():
    llm = FakeLlm(ChatReply("{}", "m", data={"city": "Ulm"}))
    out = await chat.run(Settings(answer=TRIP), Inputs(Message("Where?")), context(llm=llm))
    assert (out.data, llm.asked[0].schema) == ({"city": "Ulm", "people": None, "sure": None}, TRIP)
    with pytest.raises(NodeError, match="lacks city") as refused:
        await chat.run(
            Settings(answer=TRIP),
            Inputs(Message("Where?")),
            context(llm=FakeLlm(ChatReply("{}", "m", data={"sure": True}))),
        )
    assert refused.value.field == "answer"
