"""A flow's settings page: what is marked stands there and can be set, and nothing else."""

import pytest

from app.errors import Refused
from app.studio import exposing, queries, service
from app.studio.forms import NodeExpose
from flows.document import dump_flow, load_flow
from flows.model import Exposed, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.studio import a_batch, a_document, a_flow

TONE = Exposed("Tone", "How it answers")


def marked() -> Flow:
    flow = a_document()
    flow.nodes[1].exposed = {"template": TONE}
    flow.nodes.append(NodeUse("cut", "text.split", exposed={"size": Exposed(), "gone": Exposed()}))
    flow.nodes.append(NodeUse("call", "connect.http", exposed={"headers": Exposed()}))
    return flow


@pytest.fixture
async def actor(db):
    return await an_actor()


def test_a_document_without_marks_keeps_its_bytes_and_one_with_them_comes_back():
    assert b"exposed" not in dump_flow(a_document())
    assert load_flow(dump_flow(marked())) == marked()


def test_the_page_holds_what_is_marked_under_the_names_given_to_it():
    found = exposing.shown(marked(), [])
    assert [(step.id, [f.label for f in step.fields]) for step in found] == [
        ("write", ["Tone"]),
        ("cut", ["Chunk size"]),
        ("call", ["Headers"]),
    ]
    assert found[0].fields[0].help == "How it answers"


async def test_marking_is_an_edit_that_can_be_undone(actor):
    flow = await a_flow(actor)
    await service.apply_ops(actor, flow, a_batch(0, NodeExpose("write", "template", TONE)))
    assert (await queries.draft(actor, flow))[0].nodes[1].exposed == {"template": TONE}
    await service.undo(actor, flow, "tab-1")
    assert (await queries.draft(actor, flow))[0].nodes[1].exposed == {}


async def test_what_the_page_sends_is_one_edit_of_marked_settings_only(actor):
    flow = await a_flow(actor, marked())
    sent = {"s.write.template": ["Kindly {{ question }}"], "s.cut.size": ["250"], "s.cut.overlap": ["3"]}
    assert await exposing.save(actor, flow, sent) == (2, {})
    document, _ = await queries.draft(actor, flow)
    assert document.nodes[1].settings["template"] == "Kindly {{ question }}"
    assert document.nodes[3].settings == {"size": 250}
    await service.undo(actor, flow, "settings")
    document, _ = await queries.draft(actor, flow)
    assert (document.nodes[1].settings["template"], document.nodes[3].settings) == ("Answer {{ question }}", {})


async def test_rows_are_added_on_the_page_of_many_steps(actor):
    flow = await a_flow(actor, marked())
    await exposing.save(actor, flow, {"deed": ["add:call.headers"], "s.call.headers.rows": [""]})
    document, _ = await queries.draft(actor, flow)
    assert len(document.nodes[4].settings["headers"]) == 1


async def test_what_can_not_be_read_is_shown_again_with_the_reason(actor):
    flow = await a_flow(actor, marked())
    count, faults = await exposing.save(actor, flow, {"s.cut.size": ["many"]})
    assert (count, [fault.given for fault in faults["cut"]]) == (0, ["many"])
    field = next(step for step in exposing.shown(marked(), [], faults) if step.id == "cut").fields[0]
    assert (field.value, "no number" in field.error) == ("many", True)


async def test_a_program_sets_marked_settings_and_is_refused_others(actor):
    flow = await a_flow(actor, marked())
    assert await exposing.set_values(actor, flow, exposing.ExposedForm({"cut": {"size": 90}})) == 1
    for values in ({"cut": {"overlap": 3}}, {"nobody": {"size": 1}}, {"cut": {"gone": 1}}):
        with pytest.raises(Refused, match="not on the settings page"):
            await exposing.set_values(actor, flow, exposing.ExposedForm(values))


async def test_the_outline_marks_and_unmarks(actor):
    flow = await a_flow(actor)
    form = {"on": ["template"], "label.template": [" Tone "], "help.template": [""]}
    assert await exposing.mark(actor, flow, "write", form)
    assert not await exposing.mark(actor, flow, "write", form)
    assert (await queries.draft(actor, flow))[0].nodes[1].exposed == {"template": Exposed("Tone")}
    assert await exposing.mark(actor, flow, "write", {})
    assert (await queries.draft(actor, flow))[0].nodes[1].exposed == {}


async def test_the_page_and_its_twin_answer(signed_in, api):
    flow = await a_flow(signed_in.actor, marked())
    page = await signed_in.get(f"/flows/{flow}/settings-form")
    assert "Tone" in page.text and "Save" in page.text
    answer = await api.put(f"/api/v1/flows/{flow}/settings-form", json={"values": {"cut": {"size": 90}}})
    assert answer.status_code == 200
    assert {(each["node"], each["field"]): each["value"] for each in answer.json()}[("cut", "size")] == 90
    empty = await a_flow(signed_in.actor)
    assert "Nothing to set here yet" in (await signed_in.get(f"/flows/{empty}/settings-form")).text
