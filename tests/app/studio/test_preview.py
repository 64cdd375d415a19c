"""What a text may mention, and what it comes to with the values of the last run."""

import pytest

from app.errors import NotFound
from app.runs import running
from app.studio import tries
from app.studio.previewing import Part, PreviewForm, preview
from app.studio.scope import Values, first_round, last_values, path, variables_of
from flows import catalogue
from flows.expressions import expression
from flows.model import Edge, NodeUse
from flows.sdk.holes import hints_of, own_names
from tests.factories.accounts import an_actor
from tests.factories.studio import a_document, a_flow

KINDS = catalogue.load()
ORDER = {"items": [{"name": "Tulip", "price": 3.5}], "first name": "Jo", 'a"b': 1}


async def a_run(actor, flow_id, message="Which tulips?"):
    events = [event async for event in await tries.start(actor, flow_id, {"message": message, "history": []})]
    assert events[-1]["type"] == "run.succeeded", events[-1]
    return events[-1]["run"]


@pytest.fixture
async def actor(db):
    await running.start()
    yield await an_actor()
    await running.stop()


async def test_a_text_comes_to_what_the_run_would_have_made_of_it(actor):
    flow = await a_flow(actor)
    await a_run(actor, flow)
    text = "Answer {{ question.text }}, {{ size(input.history) }}"
    found = await preview(actor, flow, "write", PreviewForm(text, "template"))
    assert (found.state, found.text, found.type) == ("value", "Answer Which tulips?, 0", "text")
    bare = await preview(actor, flow, "write", PreviewForm("input.history.size() + 2", "expression"))
    assert (bare.state, bare.text, bare.type) == ("value", "2", "number")


async def test_a_step_that_did_not_run_yet_sees_what_the_steps_before_it_gave(actor):
    flow = await a_flow(actor)
    run = await a_run(actor, flow)
    document = a_document()
    document.nodes.append(NodeUse("new", "ai.prompt", settings={"template": "{{ draft }}"}))
    document.edges.append(Edge("write.text", "new.draft"))
    values = await last_values(actor, str(run), document, document.nodes[-1])
    assert values.variables["draft"] == "Answer Which tulips?"


async def test_it_is_what_the_run_itself_wrote_also_of_a_message(actor):
    """A message on a port for anything is an object there (docs/flow-semantics.md, 30): the preview doesn't flatter."""
    flow = await a_flow(actor)
    run = await a_run(actor, flow)
    found = await preview(actor, flow, "write", PreviewForm("Answer {{ question }}", "template"))
    written = await tries.step(actor, str(run), "write")
    assert found.text == written.output["text"]


async def test_a_fault_says_its_place_and_its_remedy(actor):
    flow = await a_flow(actor)
    await a_run(actor, flow)
    text = "Good {{ question }} and {{ answer }}"
    found = await preview(actor, flow, "write", PreviewForm(text, "template"))
    assert found.state == "error"
    assert text[found.start : found.end] == "{{ answer }}"
    assert "Known are: input, question" in found.error
    unreadable = await preview(actor, flow, "write", PreviewForm("size(", "expression"))
    assert "can't be read" in unreadable.error


async def test_before_the_first_run_it_says_so_and_still_finds_faults(actor):
    flow = await a_flow(actor)
    assert (await preview(actor, flow, "write", PreviewForm("{{ question }}", "template"))).state == "unknown"
    assert (await preview(actor, flow, "write", PreviewForm("{{ 1 + }}", "template"))).state == "error"
    assert (await preview(actor, flow, "write", PreviewForm("  ", "template"))).state == "empty"


async def test_an_expression_of_each_round_is_not_guessed(actor):
    document = a_document()
    document.nodes.append(NodeUse("loop", "logic.loop"))
    flow = await a_flow(actor, document)
    late = next(name for name, hint in hints_of(KINDS["logic.loop"].settings).items() if own_names(hint))
    found = await preview(actor, flow, "loop", PreviewForm("index > 3", "expression", field=late))
    assert (found.state, "round" in found.error) == ("unknown", True)


async def test_somebody_elses_flow_run_and_a_missing_step_are_not_there(actor):
    flow, stranger = await a_flow(actor), await an_actor()
    run = await a_run(actor, flow)
    with pytest.raises(NotFound):
        await preview(stranger, flow, "write", PreviewForm("{{ question }}", "template"))
    with pytest.raises(NotFound):
        await preview(actor, flow, "nobody", PreviewForm("{{ question }}", "template"))
    document = a_document()
    assert not (await last_values(stranger, str(run), document, document.nodes[1])).variables


def test_the_parts_of_known_values_are_offered_and_every_one_can_be_read():
    document = a_document()
    values = Values({"question": ORDER, "input": {"message": "Hi"}}, ran=True)
    found = {v.name: v for v in variables_of(document, document.nodes[1], KINDS, values)}
    assert found["question.items[0].price"].value == "3.5"
    assert found["question.items"].type == "list"
    assert 'question["first name"]' in found and "input.message" in found
    for name in found:
        expression(name)(values.variables)


def test_a_path_is_written_so_that_it_is_read_without_cel():
    assert [path("a", step) for step in ("b", "b c", "über", 0)] == ["a.b", 'a["b c"]', 'a["über"]', "a[0]"]


def test_the_first_round_is_known_from_what_came_in():
    assert first_round({"items": [{"a": 1}], "limit": 3}, ("item", "index")) == {
        "items": [{"a": 1}], "limit": 3, "item": {"a": 1}, "index": 0,
    }  # fmt: skip
    assert first_round({"state": 7}, ("state", "index")) == {"state": 7, "index": 0}
    assert first_round({"items": []}, ("item", "index")) is None
    assert first_round({}, ("state", "index")) is None


def test_what_rounds_give_is_offered_with_its_type():
    document = a_document()
    document.nodes.append(NodeUse("keep", "data.filter"))
    values = Values({"items": [{"total": 3}]}, ran=True)
    found = {v.name: v for v in variables_of(document, document.nodes[-1], KINDS, values)}
    assert (found["item"].type, found["item"].origin, found["index"].value) == ("object", "of each round", "0")
    assert found["item.total"].type == "number"
    unknown = {v.name: v.type for v in variables_of(document, document.nodes[-1], KINDS)}
    assert (unknown["item"], unknown["index"]) == ("any", "number")


async def test_each_comparison_of_a_condition_says_whether_it_holds_and_with_which_value(actor):
    flow = await a_flow(actor)
    parts = [
        Part('question.text == "Which tulips?"', "question.text"),
        Part("size(input.history) > 3", "size(input.history)"),
        Part("question.text > 3", "question.text"),
        Part("question.gone == 1", "question.gone"),
        Part("question.text", "question.text"),
        Part(""),
        Part("1 +", "1 +"),
    ]
    asked = PreviewForm(" && ".join(each.cel for each in parts[:2]), "expression", parts=parts)
    before = await preview(actor, flow, "write", asked)
    assert before.state == "unknown" and {each.state for each in before.parts} == {"unknown"}
    await a_run(actor, flow)
    found = await preview(actor, flow, "write", asked)
    assert (found.state, found.text) == ("value", "no")
    assert [(each.state, each.found, each.type) for each in found.parts] == [
        ("true", "Which tulips?", "text"),
        ("false", "0", "number"),
        ("unknown", "Which tulips?", "text"),
        ("unknown", "", "any"),
        ("unknown", "Which tulips?", "text"),
        ("unknown", "", "any"),
        ("unknown", "", "any"),
    ]
    assert found.parts[2].error and found.parts[3].error and "neither true nor false" in found.parts[4].error
