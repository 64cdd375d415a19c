"""A run that waits for a machine is no question for people."""

from app.runs import needs, queries, service
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_version, a_worker, an_approval, wait_for

WAITS = Flow(
    [
        NodeUse("start", "start.api"),
        NodeUse("wait", "logic.signal", settings={"name": "paid"}),
        NodeUse("answer", "show.answer"),
    ],
    [Edge("start.input", "wait.value"), Edge("wait.received", "answer.data")],
)


async def test_it_sleeps_asks_nobody_and_goes_on_with_the_signal(engine):
    actor = await an_actor()
    _, _, version = await a_version(WAITS, actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {"order": 7}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        shown = await queries.run(actor, run)
        assert (shown.state, shown.needs_you) == ("sleeping", False)
        assert [step.status for step in shown.steps if step.node == "wait"] == ["sleeping"]
        assert (await needs.needs(actor)).needs == []
        await service.signal(actor, run, "paid", {"sum": 3})
        row = await wait_for(actor.workspace_id, run, "succeeded", "failed")
    assert row["status"] == "succeeded"
    done = await queries.run(actor, run)
    assert done.output["data"] == {"sum": 3}


async def test_a_question_for_a_person_still_needs_you(engine):
    actor = await an_actor()
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {"order": 7}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
    assert (await queries.run(actor, run)).needs_you and len((await needs.needs(actor)).needs) == 1


async def test_of_two_rounds_that_wait_each_is_woken_whichever_sleeps_on(engine):
    """The second one sleeps through a claim in which it was not written anew."""
    actor = await an_actor()
    document = Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("words", "ai.prompt", settings={"template": "abcd"}),
            NodeUse("split", "text.split", settings={"size": 2, "overlap": 0}),
            NodeUse("each", "logic.each", settings={"at_once": 2}),
            NodeUse("wait", "logic.signal", parent="each", settings={"name": "paid"}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("words.text", "split.text"),
            Edge("split.chunks", "each.items"),
            Edge("each.item", "wait.value"),
            Edge("wait.received", "each.result"),
            Edge("each.results", "answer.data"),
        ],
    )
    _, _, version = await a_version(document, actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        await service.signal(actor, run, "paid", 0, step="wait:0")
        await wait_for(actor.workspace_id, run, "queued", "running")
        await wait_for(actor.workspace_id, run, "waiting")
        await service.signal(actor, run, "paid", 1, step="wait:1")
        row = await wait_for(actor.workspace_id, run, "succeeded", "failed")
    assert row["status"] == "succeeded"
    assert (await queries.run(actor, run)).output["data"] == [0, 1]
