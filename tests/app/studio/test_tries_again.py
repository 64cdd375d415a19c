"""A run taken up in the editor: to a step, a step alone, from a step on; what came before is not called again."""

from typing import Any

import pytest

from app.errors import NotFound, Refused
from app.events import hub
from app.runs import queries as runs
from app.runs import running
from app.runs import service as published
from app.studio import service, tries, tries_again
from app.studio.forms import NodeConfig
from app.studio.tries_again import AgainForm
from app.studio.tries_cut import upto
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker, wait_for
from tests.factories.studio import a_batch, a_flow


def a_flow_with_a_branch() -> Flow:
    """start → a → b → answer, and start → aside."""

    def fields(name: str) -> dict[str, Any]:
        return {"fields": [{"name": name, "text": name}]}

    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("a", "data.set", settings=fields("a")),
            NodeUse("b", "data.set", settings=fields("b")),
            NodeUse("aside", "data.set", settings=fields("aside")),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("start.input", "a.object"),
            Edge("a.object", "b.object"),
            Edge("start.input", "aside.object"),
            Edge("b.object", "answer.data"),
        ],
        name="branches",
    )


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


async def a_run(actor, flow_id, input, upto=""):
    events = [event async for event in await tries.start(actor, flow_id, input, upto=upto)]
    assert events[-1]["type"] == "run.succeeded", events[-1]
    return (await tries.latest(actor, flow_id)).id


async def ended(actor, run_id):
    row = await wait_for(actor.workspace_id, run_id, "succeeded", "failed", "cancelled")
    assert row["status"] == "succeeded", row["error"]
    return await runs.run(actor, run_id)


def test_up_to_a_step_is_what_its_wires_need_and_nothing_else() -> None:
    cut = upto(a_flow_with_a_branch(), "b")
    assert [node.id for node in cut.nodes] == ["start", "a", "b"]
    assert [edge.id for edge in cut.edges] == ["start.input>a.object", "a.object>b.object"]


def test_a_container_before_the_step_is_kept_whole_one_around_it_as_far_as_the_step() -> None:
    flow = Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("key", "data.set"),
            NodeUse("each", "logic.for_each"),
            NodeUse("in1", "data.set", parent="each"),
            NodeUse("in2", "data.set", parent="each"),
            NodeUse("after", "data.set"),
        ],
        [
            Edge("start.input", "each.items"),
            Edge("each.item", "in1.object"),
            Edge("in1.object", "in2.object"),
            Edge("key.object", "in2.other"),
            Edge("in2.object", "each.result"),
            Edge("each.results", "after.object"),
        ],
    )
    assert {node.id for node in upto(flow, "after").nodes} == {"start", "key", "each", "in1", "in2", "after"}
    assert {node.id for node in upto(flow, "in1").nodes} == {"start", "each", "in1"}
    assert {node.id for node in upto(flow, "each").nodes} == {"start", "key", "each", "in1", "in2"}


async def test_a_try_goes_as_far_as_the_step_even_where_the_rest_is_not_ready(actor):
    document = a_flow_with_a_branch()
    document.nodes.append(NodeUse("broken", "ai.prompt", settings={"template": "{{ oh"}))
    flow = await a_flow(actor, document)
    run = await a_run(actor, flow, {"input": 1}, upto="a")
    assert [step.node for step in (await runs.run(actor, run)).steps] == ["start", "a"]


async def test_a_step_alone_takes_what_came_before_and_may_get_other_values(actor):
    flow = await a_flow(actor, a_flow_with_a_branch())
    first = await a_run(actor, flow, {"x": 1})
    async with a_worker():
        again = await tries_again.again(actor, flow, first, AgainForm("only", "b", {"object": {"hand": "made"}}))
        view = await ended(actor, again)
    assert [(step.node, step.taken_over) for step in view.steps] == [("start", True), ("a", True), ("b", False)]
    assert view.steps[-1].output == {"object": {"hand": "made", "b": "b"}}
    assert view.draft


async def test_from_a_step_on_the_draft_as_it_is_now_runs(actor):
    flow = await a_flow(actor, a_flow_with_a_branch())
    first = await a_run(actor, flow, {"x": 1})
    await service.apply_ops(actor, flow, a_batch(0, NodeConfig("b", "fields", [{"name": "b", "text": "new"}])))
    async with a_worker():
        view = await ended(actor, await tries_again.again(actor, flow, first, AgainForm("from", "b")))
    assert {step.node for step in view.steps if step.taken_over} == {"start", "a", "aside"}
    assert view.output["data"]["b"] == "new"


async def test_to_a_step_runs_everything_before_it_anew_with_the_same_input(actor):
    flow = await a_flow(actor, a_flow_with_a_branch())
    first = await a_run(actor, flow, {"x": 7})
    async with a_worker():
        view = await ended(actor, await tries_again.again(actor, flow, first, AgainForm("here", "b")))
    assert [(step.node, step.taken_over) for step in view.steps] == [("start", False), ("a", False), ("b", False)]
    assert view.input == {"x": 7}


async def test_a_step_that_was_no_part_of_that_run_yet_is_run_with_the_one_that_needs_it(actor):
    flow = await a_flow(actor, a_flow_with_a_branch())
    first = await a_run(actor, flow, {"x": 7}, upto="a")
    async with a_worker():
        view = await ended(actor, await tries_again.again(actor, flow, first, AgainForm("only", "answer")))
    assert [(step.node, step.taken_over) for step in view.steps] == [
        ("start", True), ("a", True), ("b", False), ("answer", False),
    ]  # fmt: skip


async def test_a_step_that_is_gone_and_a_run_of_another_flow_are_refused(actor):
    flow, other = await a_flow(actor, a_flow_with_a_branch()), await a_flow(actor, a_flow_with_a_branch())
    first = await a_run(actor, flow, {"x": 7})
    with pytest.raises(Refused, match="deleted"):
        await tries_again.again(actor, flow, first, AgainForm("only", "nobody"))
    with pytest.raises(NotFound):
        await tries_again.again(actor, other, first, AgainForm("from", "b"))


async def test_the_editor_shows_the_run_asked_for_when_it_is_one_of_this_flow(actor):
    flow, other = await a_flow(actor, a_flow_with_a_branch()), await a_flow(actor, a_flow_with_a_branch())
    version = await service.publish(actor, flow, "", "")
    live = (await published.answer(actor, version, {"x": 1}, trigger="api")).run_id
    last = await a_run(actor, flow, {"x": 2})
    foreign = await a_run(actor, other, {"x": 3})
    for asked, shown in ((str(live), live), ("", last), (str(foreign), last), ("nonsense", last)):
        found = await tries.shown(actor, flow, asked)
        assert found is not None and found.id == shown
    async with a_worker():
        view = await ended(actor, await tries_again.again(actor, flow, live, AgainForm("from", "b")))
    assert view.input == {"x": 1}
