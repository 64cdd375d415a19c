"""The edit algebra: whatever is done can be undone exactly, and no sequence of edits breaks a document."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from app.studio import forms
from app.studio.ops import OpRefused, apply, check_whole, touches
from flows.model import Edge, Exposed, Flow, NodeUse, Retry

IDS = ["a", "b", "c", "d", "e"]
PORTS = ["in", "out", "text"]
ids = st.sampled_from(IDS)
numbers = st.integers(-500, 500).map(float)
ends = st.builds(lambda node, port: f"{node}.{port}", ids, st.sampled_from(PORTS))
values = st.one_of(st.text(max_size=5), st.integers(), st.lists(st.integers(), max_size=3), st.none())
nodes = st.builds(
    NodeUse,
    id=ids,
    type=st.sampled_from(["ai.prompt", "logic.each"]),
    settings=st.dictionaries(st.sampled_from(["text", "size"]), values),
    x=numbers,
    y=numbers,
    parent=st.sampled_from(["", *IDS]),
)
operations = st.one_of(
    st.builds(forms.NodeAdd, node=nodes, at=st.none() | st.integers(0, 6)),
    st.builds(forms.NodeMove, id=ids, x=numbers, y=numbers),
    st.builds(forms.NodeResize, id=ids, w=st.none() | st.just(300.0), h=st.none() | st.just(200.0)),
    st.builds(forms.NodeConfig, id=ids, field=st.sampled_from(["text", "size"]), value=values | st.just(UNSET)),
    st.builds(forms.NodeLabel, id=ids, label=st.text(max_size=5)),
    st.builds(
        forms.NodeExpose,
        id=ids,
        field=st.sampled_from(["text", "size"]),
        shown=st.none() | st.builds(Exposed, label=st.text(max_size=5)),
    ),
    st.builds(forms.NodeDelete, id=ids),
    st.builds(forms.NodeReparent, id=ids, parent=st.sampled_from(["", *IDS]), x=numbers, y=numbers),
    st.builds(
        forms.NodePolicy,
        id=ids,
        retry=st.just(UNSET) | st.builds(Retry, tries=st.integers(1, 5)),
        on_error=st.just(UNSET) | st.sampled_from(["stop", "wire"]),
        timeout=st.sampled_from([UNSET, None, 5.0]),
        disabled=st.sampled_from([UNSET, True]),
    ),
    st.builds(forms.EdgeAdd, source=ends, target=ends, at=st.none() | st.integers(0, 6)),
    st.builds(forms.EdgeDelete, source=ends, target=ends),
    st.builds(forms.NoteText, id=ids, text=st.text(max_size=5)),
    st.builds(forms.FlowMeta, name=st.just(UNSET) | st.text(max_size=5)),
)


def all_that_fit(flow: Flow, ops: Sequence[forms.Op]) -> tuple[Flow, list[forms.Op]]:
    done: list[forms.Op] = []
    for op in ops:
        try:
            flow, _ = apply(flow, [op])
        except OpRefused:
            continue
        done.append(op)
    return flow, done


@settings(max_examples=400)
@given(st.lists(operations, max_size=25), st.lists(operations, max_size=12))
def test_an_edit_followed_by_its_inverse_is_the_same_document_in_the_same_order(before, edits):
    flow, _ = all_that_fit(Flow(), before)
    _, fitting = all_that_fit(flow, edits)
    after, inverse = apply(flow, fitting)
    again, redo = apply(after, inverse)
    assert again == flow
    assert apply(again, redo)[0] == after


@settings(max_examples=300)
@given(st.lists(operations, max_size=40))
def test_no_sequence_of_edits_leaves_a_document_that_is_not_whole(edits):
    flow, _ = all_that_fit(Flow(), edits)
    check_whole(flow)


@given(st.lists(operations, max_size=20))
def test_edits_and_their_inverses_survive_being_stored(edits):
    _flow, fitting = all_that_fit(Flow(), edits)
    _, inverse = apply(Flow(), fitting)
    for ops in (fitting, inverse):
        stored = msgspec.json.encode(ops)
        assert msgspec.json.decode(stored, type=list[forms.Op]) == ops


def test_refused_edits_name_their_place_in_the_batch_and_change_nothing():
    flow = Flow(nodes=[NodeUse("a", "text.split")])
    with pytest.raises(OpRefused) as refused:
        apply(flow, [forms.NodeMove("a", 8, 8), forms.NodeMove("b", 8, 8)])
    assert (refused.value.index, refused.value.gone) == (1, True)
    assert flow.nodes[0].x == 0


def test_deleting_a_container_takes_children_and_wires_and_undo_brings_all_of_it_back():
    flow = Flow(
        nodes=[NodeUse("in", "text.split", parent="loop"), NodeUse("x", "ai.prompt"), NodeUse("loop", "logic.each")],
        edges=[Edge("x.text", "loop.items"), Edge("loop.item", "in.text")],
    )
    after, inverse = apply(flow, [forms.NodeDelete("loop")])
    assert ([node.id for node in after.nodes], after.edges) == (["x"], [])
    assert apply(after, inverse)[0] == flow


def test_a_step_cannot_lie_inside_itself():
    flow = Flow(nodes=[NodeUse("a", "logic.each"), NodeUse("b", "logic.each", parent="a")])
    with pytest.raises(OpRefused, match="inside itself"):
        apply(flow, [forms.NodeReparent("a", "b", 0, 0)])


def test_two_edits_meet_only_where_they_write_the_same_field():
    assert touches(forms.NodeConfig("a", "size", 1)) != touches(forms.NodeConfig("a", "overlap", 1))
    assert touches(forms.NodeMove("a", 1, 1)) & touches(forms.NodeReparent("a", "", 1, 1))
    assert touches(forms.NoteText("n", "x")) == touches(forms.NodeConfig("n", "text", "y"))
