"""Every kind of problem, in the words people read; and how fast they come."""

from time import perf_counter
from typing import Any

import pytest

from flows.compile import PlanCache, check, compile, ports_of
from flows.model import Flow, NodeUse
from flows.plan import Plan
from flows.problems import Problems
from tests.flows.nodes import Log, flow, nodes

CATALOGUE = nodes(Log())


def problems(made: Flow) -> list[Any]:
    return check(made, CATALOGUE)


@pytest.mark.parametrize(
    ("made", "node", "says"),
    [
        (flow(NodeUse("a", "say"), NodeUse("a", "say")), "a", "2 steps have the id 'a'. Give each its own."),
        (flow(NodeUse("a.b", "say")), "a.b", "'a.b' can't be a step's id: letters, digits, - and _ only, at most 64."),
        (
            flow(NodeUse("a", "acme.gone", label="Weather")),
            "a",
            "Step 'Weather' needs the component 'acme.gone', which is not installed. "
            "Install its package, or remove it.",
        ),
        (
            flow(NodeUse("a", "say", settings={"after": "soon"})),
            "a",
            "Setting 'after' of step 'a' does not fit: it must be a number, not text.",
        ),
        (
            flow(NodeUse("a", "say", settings={"wow": 1})),
            "a",
            "Setting 'wow' of step 'a' does not fit: this component has no such setting.",
        ),
        (
            flow(NodeUse("a", "say", settings={"text": "{{ 1 + }}"})),
            "a",
            "Step 'a': The expression `1 +` can't be read at character 4. Check quotes, brackets and operators.",
        ),
        (
            flow(NodeUse("a", "say", settings={"text": "Hi {{ name }}"})),
            "a",
            "Step 'a' needs anything at 'name'. Wire something in.",
        ),
        (flow(NodeUse("s", "speak")), "s", "Step 's' needs text at 'Text'. Wire something in."),
        (
            flow(NodeUse("l", "list"), NodeUse("s", "speak"), wires="l.items>s.text"),
            "s",
            "'text' of step 's' needs text, but 'items' of step 'l' is a list.",
        ),
        (flow(NodeUse("a", "say"), wires="a.text>b.value"), "a", "A wire leads to 'b', which is gone. Remove it."),
        (
            flow(NodeUse("a", "say"), NodeUse("b", "pass"), wires="a.wow>b.value"),
            "a",
            "Step 'a' has no output 'wow' with its present settings.",
        ),
        (
            flow(NodeUse("a", "say"), NodeUse("b", "pass"), wires="a.error>b.value"),
            "a",
            "Step 'a' has no output 'error' with its present settings.",
        ),
        (
            flow(NodeUse("a", "say"), NodeUse("b", "say"), NodeUse("c", "pass"), wires="a.text>c.value b.text>c.value"),
            "c",
            "'value' of step 'c' takes one wire only. Use a Join.",
        ),
        (
            flow(
                NodeUse("a", "pass", label="A"),
                NodeUse("b", "pass"),
                NodeUse("c", "pass"),
                wires="a.value>b.value b.value>c.value c.value>a.value",
            ),
            "a",
            "These steps feed each other in a loop: A → b → c → A. "
            "Remove one wire, or put the repetition in a 'Repeat' or a 'For each'.",
        ),
        (
            flow(NodeUse("a", "pass"), wires="a.value>a.value"),
            "a",
            "These steps feed each other in a loop: a → a. Remove one wire, or put the repetition in a 'Repeat' or a "
            "'For each'.",
        ),
        (
            flow(NodeUse("a", "say"), NodeUse("b", "say", parent="a")),
            "b",
            "Step 'b' lies in 'a', which is no container. Move it out.",
        ),
        (
            flow(
                NodeUse("l", "list"),
                NodeUse("e", "logic.each", label="Each"),
                NodeUse("in", "pass", parent="e"),
                NodeUse("out", "pass"),
                wires="l.items>e.items e.item>in.value in.value>e.result in.value>out.value",
            ),
            "out",
            "A wire leads out of 'Each' to step 'out'. Take the value from 'Each' itself.",
        ),
        (
            flow(
                NodeUse("l", "list"),
                NodeUse("e", "logic.each"),
                NodeUse("in", "pass", parent="e"),
                NodeUse("out", "pass"),
                wires="l.items>e.items in.value>e.result e.item>out.value",
            ),
            "out",
            "A wire leads out of 'e' to step 'out'. Take the value from 'e' itself.",
        ),
        (
            flow(NodeUse("a", "say", version=9)),
            "a",
            "Step 'a' can't be read: it was made with version 9 of 'Say', and version 1 is installed. "
            "Update the package.",
        ),
        (
            flow(NodeUse("s", "logic.switch", settings={"cases": [{"name": "x"}, {"name": "x"}]})),
            "s",
            "Step 's': The case name 'x' is taken. Choose another.",
        ),
    ],
)
def test_a_problem_names_its_place_and_what_to_do(made, node, says):
    found = problems(made)
    assert [(p.node, p.message) for p in found if p.severity == "error"] == [(node, says)]
    refused = compile(made, CATALOGUE)
    assert isinstance(refused, Problems) and says in str(refused)


def test_a_loop_through_a_container_is_found_where_it_is():
    made = flow(
        NodeUse("e", "logic.each"),
        NodeUse("in", "say", parent="e"),
        NodeUse("after", "pass"),
        wires="after.value>e.items e.results>after.value in.text>e.result",
    )
    assert [p.message.split(":")[1][:16] for p in problems(made)] == [
        " after → e → aft"
    ] or "e → after → e" in problems(made)[0].message


def test_what_probably_is_not_meant_is_a_warning_and_still_runs():
    made = flow(
        NodeUse("l", "list"), NodeUse("e", "logic.each"), NodeUse("x", "say", parent="e"), wires="l.items>e.items"
    )
    found = problems(made)
    assert [(p.severity, p.node) for p in found] == [("warning", "e")] and "Wire one into 'Result'" in found[0].message
    assert isinstance(compile(made, CATALOGUE), Plan)


def test_a_component_that_is_gone_keeps_its_data_and_shows_the_ports_its_wires_name():
    lost = NodeUse("g", "acme.gone", settings={"key": [1, 2]})
    made = flow(NodeUse("a", "say"), lost, NodeUse("b", "pass"), wires="a.text>g.question g.answer>b.value")
    ports = ports_of(lost, CATALOGUE, made)
    assert ([p.name for p in ports.inputs], [p.name for p in ports.outputs]) == (["question"], ["answer"])
    assert made.nodes[1].settings == {"key": [1, 2]}


def test_settings_of_an_older_version_of_a_component_are_brought_up_to_date():
    from msgspec import Struct

    from flows.sdk import Context, Nothing, node

    class New(Struct, frozen=True, forbid_unknown_fields=True):
        size: int

    @node(
        "t.grown",
        version=3,
        title="Grown",
        upgrades={1: lambda s: {"width": s["w"]}, 2: lambda s: {"size": s["width"]}},
    )
    async def grown(settings: New, inputs: Nothing, ctx: Context) -> Nothing:
        return Nothing()

    catalogue = {"t.grown": grown}
    for version, given in ((1, {"w": 4}), (2, {"width": 4}), (3, {"size": 4})):
        plan = compile(Flow([NodeUse("a", "t.grown", version=version, settings=given)]), catalogue)
        assert isinstance(plan, Plan) and plan.step("a").settings == New(4)


def test_notes_are_not_run_and_may_carry_any_text():
    from components.note import NODES

    made = Flow([NodeUse("n", "note.note", settings={"text": "{{ not a hole"})])
    plan = compile(made, {kind.name: kind for kind in NODES})
    assert isinstance(plan, Plan) and plan.steps == ()


@pytest.mark.parametrize(
    ("kind", "express"), [("say", True), ("ask", True), ("pay", False), ("logic.wait", False), ("logic.flow", False)]
)
def test_only_flows_that_may_be_repeated_and_never_pause_take_the_express_lane(kind, express):
    plan = compile(flow(NodeUse("a", kind)), CATALOGUE)
    assert isinstance(plan, Plan) and plan.express is express
    inside = flow(
        NodeUse("l", "list"), NodeUse("e", "logic.each"), NodeUse("a", kind, parent="e"), wires="l.items>e.items"
    )
    plan = compile(inside, CATALOGUE)
    assert isinstance(plan, Plan) and plan.express is express


def _seconds(made: Flow) -> float:
    began = perf_counter()
    assert problems(made) == []
    return perf_counter() - began


def test_a_plan_is_compiled_once_per_content():
    cache = PlanCache(CATALOGUE, size=2)
    first = cache.compile(flow(NodeUse("a", "say")))
    assert cache.compile(flow(NodeUse("a", "say"))) is first
    by_key = cache.compile(flow(NodeUse("b", "say")), key="version-1")
    assert cache.get("version-1") is by_key and cache.get("version-2") is None
    cache.compile(flow(NodeUse("c", "say")))
    assert cache.compile(flow(NodeUse("a", "say"))) is not first, "the least recently used went first"
