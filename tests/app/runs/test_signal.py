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
