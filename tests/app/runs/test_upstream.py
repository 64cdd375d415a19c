"""What comes before a step: the hash changes when something that reaches the step changes, and with nothing else."""

import copy

import pytest
from msgspec.structs import replace

from app.runs.upstream import Upstream
from flows.model import Edge, Flow, NodeUse, Retry

FLOW = Flow(
    name="Mails",
    nodes=[
        NodeUse("start", "start.api"),
        NodeUse("get", "connect.http", settings={"url": "https://a.example"}),
        NodeUse("each", "logic.each", settings={"at_once": 2}),
        NodeUse("sum", "text.template", parent="each", settings={"template": "{{ item }}"}),
        NodeUse("ask", "ai.chat", parent="each"),
        NodeUse("aside", "text.template", settings={"template": "x"}),
        NodeUse("end", "ai.chat"),
    ],
    edges=[
        Edge("start.body", "get.body"), Edge("get.body", "each.list"), Edge("each.item", "sum.item"),
        Edge("sum.text", "ask.message"), Edge("ask.text", "each.result"), Edge("each.results", "end.message"),
        Edge("start.body", "aside.text"),
    ],
)  # fmt: skip
ALL = [use.id for use in FLOW.nodes]


def changed(flow):
    before, after = Upstream(FLOW), Upstream(flow)
    return [each for each in ALL if before.hash_of(each) != after.hash_of(each)]


def with_step(id, **fields):
    flow = copy.deepcopy(FLOW)
    flow.nodes = [replace(use, **fields) if use.id == id else use for use in flow.nodes]
    return flow


@pytest.mark.parametrize(
    ("id", "reached"),
    [
        ("start", ["get", "each", "sum", "ask", "aside", "end"]),
        ("get", ["each", "sum", "ask", "end"]),
        ("each", ["sum", "ask", "end"]),
        ("sum", ["each", "ask", "end"]),
        ("ask", ["each", "end"]),
        ("aside", []),
        ("end", []),
    ],
)
def test_a_changed_setting_reaches_exactly_what_comes_after(id, reached):
    assert changed(with_step(id, settings={"other": 1})) == reached
    assert changed(with_step(id, disabled=True)) == reached
    assert changed(with_step(id, on_error="default", default={"text": ""})) == reached


def test_what_one_round_of_a_repeat_hands_to_the_next_comes_before_all_of_it():
    def flow(**settings):
        nodes = [
            NodeUse("again", "logic.loop"),
            NodeUse("first", "ai.chat", parent="again"),
            NodeUse("second", "ai.chat", parent="again", settings=settings),
        ]
        wires = [Edge("again.state", "first.message"), Edge("first.text", "second.message")]
        return Flow(nodes=nodes, edges=[*wires, Edge("second.text", "again.next")])

    assert Upstream(flow()).hash_of("first") != Upstream(flow(model="other")).hash_of("first")


def test_places_names_and_retries_reach_nothing():
    assert changed(with_step("start", x=900, y=1, label="Begin", retry=Retry(3, 1.0), timeout=9, keep=60)) == []
    turned = copy.deepcopy(FLOW)
    turned.nodes.reverse()
    assert changed(turned) == []


def test_a_new_wire_and_the_order_of_wires_into_one_port_count():
    more = copy.deepcopy(FLOW)
    more.edges.append(Edge("aside.text", "end.message"))
    assert changed(more) == ["end"]
    turned = copy.deepcopy(more)
    turned.edges = [turned.edges[-1], *turned.edges[:-1]]
    assert Upstream(more).hash_of("end") != Upstream(turned).hash_of("end")
    assert Upstream(more).hash_of("ask") == Upstream(turned).hash_of("ask")


def test_a_flow_of_wires_in_a_ring_or_to_nowhere_ends():
    ring = Flow(
        nodes=[NodeUse("a", "x"), NodeUse("b", "x")],
        edges=[Edge("a.o", "b.i"), Edge("b.o", "a.i"), Edge("gone.o", "a.i")],
    )
    assert Upstream(ring).hash_of("a") != Upstream(ring).hash_of("b")
