"""A pinned step is not called in tries of the draft, and always called in published runs."""

import pytest

from app.errors import NotFound, Refused
from app.events import hub
from app.runs import queries as runs
from app.runs import running
from app.runs import service as published
from app.studio import pins, service, tries, tries_again
from app.studio.pins import PinForm
from app.studio.tries_again import AgainForm
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker
from tests.factories.studio import a_flow


def chain() -> Flow:
    """start → a → b → answer."""
    nodes = [NodeUse("start", "start.api")]
    for name in "ab":
        nodes.append(NodeUse(name, "data.set", settings={"fields": [{"name": name, "text": name}]}))
    edges = [Edge("start.input", "a.object"), Edge("a.object", "b.object"), Edge("b.object", "answer.data")]
    return Flow([*nodes, NodeUse("answer", "show.answer")], edges, name="chain")


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


async def tried(actor, flow):
    events = [event async for event in await tries.start(actor, flow, {"x": 1})]
    assert events[-1]["type"] == "run.succeeded", events[-1]
    return await runs.run(actor, (await tries.latest(actor, flow)).id)


async def test_a_try_takes_the_pinned_output_and_calls_the_others(actor):
    flow = await a_flow(actor, chain())
    await pins.pin(actor, flow, "a", PinForm({"object": {"pinned": True}}))
    async with a_worker():
        view = await tried(actor, flow)
        assert view.output["data"] == {"pinned": True, "b": "b"}
        assert [step.node for step in view.steps if step.taken_over] == ["a"]
        again = await tries_again.again(actor, flow, view.id, AgainForm("from", "b"))
        assert again
    await pins.unpin(actor, flow, "a")
    assert (await tried(actor, flow)).output["data"] == {"x": 1, "a": "a", "b": "b"}


async def test_a_published_run_never_takes_a_pin(actor):
    flow = await a_flow(actor, chain())
    await pins.pin(actor, flow, "a", PinForm({"object": {"pinned": True}}))
    version = await service.publish(actor, flow, "", "")
    outcome = await published.answer(actor, version, {"x": 1}, trigger="api")
    assert (await runs.run(actor, outcome.run_id)).output["data"] == {"x": 1, "a": "a", "b": "b"}


async def test_what_is_no_output_of_the_step_is_refused_and_what_was_unpinned_comes_back(actor):
    flow = await a_flow(actor, chain())
    with pytest.raises(Refused, match="no output of the step"):
        await pins.pin(actor, flow, "a", PinForm({"object": "words"}))
    with pytest.raises(NotFound):
        await pins.pin(actor, flow, "nobody", PinForm({}))
    await pins.pin(actor, flow, "a", PinForm({"object": {"n": 1}}))
    await pins.pin(actor, flow, "a", PinForm({"object": {"n": 2}}))
    assert [(pin.node, pin.output) for pin in await pins.pins(actor, flow)] == [("a", {"object": {"n": 2}})]
    gone = await pins.unpin(actor, flow, "a")
    assert gone is not None and gone.output == {"object": {"n": 2}}
    assert await pins.unpin(actor, flow, "a") is None


async def test_pins_of_another_workspace_are_not_there(actor):
    flow = await a_flow(actor, chain())
    other = await an_actor()
    with pytest.raises(NotFound):
        await pins.pins(other, flow)
    with pytest.raises(NotFound):
        await pins.unpin(other, flow, "a")
