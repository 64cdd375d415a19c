"""Two states of a flow side by side: what is said to be different, and what is not."""

import time

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.studio.changes import changes
from app.studio.difference import NOT_SHOWN, difference
from app.studio.difference_picture import picture
from flows import catalogue
from flows.model import Edge, Flow, NodeUse, Retry
from tests.factories.studio import a_document, a_large_document

KINDS = catalogue.load()


def changed(flow: Flow, id: str, **more: object) -> Flow:
    nodes = [msgspec.structs.replace(node, **more) if node.id == id else node for node in flow.nodes]
    return msgspec.structs.replace(flow, nodes=nodes)


def test_a_prompt_differs_by_words():
    found = difference(
        a_document(prompt="Answer {{ question }} in two short lines."),
        a_document(prompt="Answer {{ question }} in three short lines."),
        KINDS,
    )
    [step] = found.steps
    [field] = step.fields
    assert (step.kind, step.node, field.field) == ("changed", "write", "settings.template")
    assert [(p.kind, p.text) for p in field.words if p.kind != "same"] == [("gone", "two"), ("new", "three")]


def test_added_removed_moved_and_wires_are_told_apart():
    before = a_document()
    after = changed(before, "ask", x=400.0)
    after = msgspec.structs.replace(
        after, nodes=[after.nodes[0], after.nodes[1], NodeUse("cut", "text.split")],
        edges=[before.edges[0], Edge("write.text", "cut.text")], name="Other", cost_limit=2.0,
    )  # fmt: skip
    found = difference(before, after, KINDS)
    assert {(s.node, s.kind, s.moved) for s in found.steps} == {
        ("ask", "moved", True), ("cut", "added", False), ("reply", "removed", False),
    }  # fmt: skip
    assert [(w.kind, w.words) for w in found.wires] == [
        ("removed", "Prompt, Text → Answer, Text"),
        ("added", "Prompt, Text → Split text, Text"),
    ]
    assert [f.field for f in found.flow] == ["name", "cost_limit"]
    assert not found.runs_alike and found.count("moved") == 1


def test_moving_alone_changes_nothing_that_runs():
    found = difference(a_document(), changed(a_document(), "ask", x=9.0), KINDS)
    assert found.runs_alike and [s.kind for s in found.steps] == ["moved"]


def test_every_field_of_a_step_is_compared():
    before = Flow(nodes=[NodeUse("a", "connect.http"), NodeUse("box", "logic.each", label="Each order")])
    after = Flow(
        nodes=[
            NodeUse("a", "connect.http", 2, "Order", parent="box", disabled=True, retry=Retry(3), on_error="default",
                    default={"status": 1}, timeout=4, keep=60),
            NodeUse("box", "logic.each", label="Each order"),
        ]
    )  # fmt: skip
    [step] = difference(before, after, KINDS).steps
    assert [(f.field, f.was, f.is_now) for f in step.fields if f.field in ("label", "parent", "disabled")] == [
        ("label", "", "Order"), ("disabled", "no", "yes"), ("parent", "", "Each order"),
    ]  # fmt: skip
    assert {f.field for f in step.fields} == {
        "label", "version", "disabled", "parent", "retry", "on_error", "default", "timeout", "keep",
    }  # fmt: skip


def test_a_setting_nobody_touched_shows_its_default():
    before, after = (Flow(nodes=[NodeUse("a", "text.split", settings=s)]) for s in ({}, {"size": 300}))
    [field] = difference(before, after, KINDS).steps[0].fields
    assert (field.title, field.before, field.after) == ("Chunk size", 1000, 300)


def test_keys_in_headers_are_never_shown_and_still_count_as_changed():
    def flow(key: str) -> Flow:
        headers = [{"name": "Authorization", "value": key}]
        return Flow(nodes=[NodeUse("a", "connect.http", settings={"url": "https://x.example", "headers": headers})])

    found = difference(flow("Bearer one-secret"), flow("Bearer other-secret"), KINDS)
    assert found.steps[0].fields[0].hidden
    assert b"-secret" not in msgspec.json.encode(found) and NOT_SHOWN not in found.steps[0].fields[0].was


def test_the_order_of_what_comes_in_is_a_difference():
    nodes = [NodeUse(id, "start.api") for id in "ab"] + [NodeUse("m", "data.merge")]
    edges = [Edge("a.input", "m.values"), Edge("b.input", "m.values")]
    found = difference(Flow(nodes, edges), Flow(nodes, edges[::-1]), KINDS)
    assert [w.kind for w in found.wires] == ["reordered"]


def test_a_removed_step_is_drawn_where_it_was():
    before, after = a_document(), a_document()
    after.nodes, after.edges = after.nodes[:2], after.edges[:1]
    drawn = picture(before, after, difference(before, after, KINDS), KINDS)
    reply = next(box for box in drawn.boxes if box.node == "reply")
    assert (reply.mark, reply.x) == ("removed", 24 + 560)
    assert sorted(line.mark for line in drawn.lines) == ["", "removed"]


def test_a_removed_step_steps_aside_for_what_took_its_place():
    before, after = a_document(), a_document()
    after.nodes[2] = NodeUse("other", "show.answer", x=560, y=0)
    boxes = {b.node: b for b in picture(before, after, difference(before, after, KINDS), KINDS).boxes}
    assert boxes["reply"].y > boxes["other"].y + boxes["other"].h and boxes["reply"].mark == "removed"


ids = st.sampled_from(["a", "b", "c"])
nodes = st.lists(
    st.builds(
        NodeUse, id=ids, type=st.sampled_from(["text.split", "ai.prompt", "gone.type"]),
        label=st.sampled_from(["", "x"]), settings=st.sampled_from([{}, {"size": 3}, {"template": "Hi {{ a }}"}]),
        x=st.sampled_from([0.0, 5.0]), disabled=st.booleans(),
    ),
    max_size=3, unique_by=lambda node: node.id,
)  # fmt: skip
wires = st.lists(st.builds(Edge, ids.map(lambda i: i + ".text"), ids.map(lambda i: i + ".text")), max_size=3)
flows = st.builds(Flow, nodes=nodes, edges=wires, name=st.sampled_from(["", "N"]))


@given(flows, flows)
@settings(max_examples=200)
def test_it_says_nothing_runs_differently_exactly_when_the_publish_panel_does(before, after):
    found = difference(before, after, KINDS)
    if {e.id for e in before.edges} == {e.id for e in after.edges} and not any(
        w.kind == "reordered" for w in found.wires
    ):
        assert found.runs_alike == (not changes(before, after, KINDS))
    assert not difference(after, after, KINDS).steps


def test_a_thousand_rewritten_prompts_are_compared_in_a_moment():
    before, after = a_large_document(1_000, 1_500), a_large_document(1_000, 1_500)
    for node in after.nodes:
        node.settings = {"template": "word " * 3_000 + node.id}
    began = time.perf_counter()
    found = difference(before, after, KINDS)
    picture(before, after, found, KINDS)
    assert time.perf_counter() - began < 5 and found.count("changed") == 1_000
