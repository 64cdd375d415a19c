"""Tries pause before steps: personal, durable, editable, gone on with as one says; a published run never pauses."""

from typing import Any

import pytest

from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import hub
from app.runs import breaking, running
from app.runs import queries as runs
from app.runs import service as published
from app.runs.forms import GoOnForm
from app.studio import breakpoints, pins, service, tries, tries_again
from app.studio.breakpoints import BreakForm
from app.studio.pins import PinForm
from app.studio.tries_again import AgainForm
from flows.breaks import BREAK
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker, wait_for
from tests.factories.studio import a_flow


def chain() -> Flow:
    """start → a → b → answer."""
    nodes = [NodeUse("start", "start.api")]
    for name in "ab":
        nodes.append(NodeUse(name, "data.set", settings={"fields": [{"name": name, "text": name}]}))
    edges = [Edge("start.input", "a.object"), Edge("a.object", "b.object"), Edge("b.object", "answer.data")]
    return Flow([*nodes, NodeUse("answer", "show.answer")], edges, name="chain")


def rounds() -> Flow:
    """words → split into ab, cd, ef → for each: in → answer."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("words", "ai.prompt", settings={"template": "abcdef"}),
            NodeUse("split", "text.split", settings={"size": 2, "overlap": 0}),
            NodeUse("each", "logic.each", settings={"at_once": 1}),
            NodeUse("in", "ai.prompt", parent="each", settings={"template": "<{{ text }}>"}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("words.text", "split.text"),
            Edge("split.chunks", "each.items"),
            Edge("each.item", "in.text"),
            Edge("in.text", "each.result"),
            Edge("each.results", "answer.data"),
        ],
        name="rounds",
    )


@pytest.fixture
async def actor(db):
    await running.start("cli")
    await hub.start()
    yield await an_actor()
    await hub.stop()
    await running.stop()


async def pause_at(actor, flow, *steps, rounds="each"):
    for step in steps:
        await breakpoints.set(actor, flow, step, BreakForm(rounds))


async def tried(actor, flow, input: Any = None):
    """Until it ends or pauses; its id and the last event's type."""
    events = [event async for event in await tries.start(actor, flow, input or {"x": 1})]
    return (await tries.latest(actor, flow)).id, events


async def going_on(actor, flow, run, step, *, until="waiting", how="next", **edits):
    await breakpoints.go_on(actor, flow, run, GoOnForm(step, how, edits))
    await wait_for(actor.workspace_id, run, "succeeded", "failed", "cancelled", until)
    return await runs.run(actor, run)


async def test_a_try_pauses_shows_what_would_go_in_and_takes_other_values(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, events = await tried(actor, flow)
        assert events[-1]["type"] == "run.waiting"
        assert [e["waits"] for e in events if e["type"] == "step.waiting"] == ["breakpoint"]
        view = await runs.run(actor, run)
        assert view.state == "paused" and not view.needs_you
        [pause] = await breaking.pauses(actor, run)
        assert pause.step == "b" and pause.inputs == {"object": {"x": 1, "a": "a"}}
        assert [(port.name, port.type) for port in pause.ports] == [("object", "object")]
        assert next(step for step in view.steps if step.node == "b").inputs == pause.inputs
        view = await going_on(actor, flow, run, "b", until="succeeded", object={"hand": "made"})
    assert view.output["data"] == {"hand": "made", "b": "b"}
    step = next(step for step in view.steps if step.node == "b")
    assert step.edited == ("object",) and step.inputs == {"object": {"hand": "made"}}
    assert [attempt.attempt for attempt in step.attempts] == [1]


async def test_to_the_next_one_one_step_to_the_end_and_skipping(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "a", "answer")
    async with a_worker():
        run, _ = await tried(actor, flow)
        await breakpoints.go_on(actor, flow, run, GoOnForm("a", "step"))
        await wait_until_paused(actor, run, "b")
        await breakpoints.go_on(actor, flow, run, GoOnForm("b"))
        await wait_until_paused(actor, run, "answer")
        await breakpoints.set(actor, flow, "b", BreakForm())
        view = await going_on(actor, flow, run, "answer", how="skip", until="succeeded")
        assert {step.node: step.status for step in view.steps}["answer"] == "skipped" and view.output is None
        run, _ = await tried(actor, flow)
        view = await going_on(actor, flow, run, "a", how="end", until="succeeded")
    assert view.output["data"] == {"x": 1, "a": "a", "b": "b"}


async def wait_until_paused(actor, run, step):
    await wait_for(actor.workspace_id, run, "waiting")
    while [each.step for each in await breaking.pauses(actor, run)] != [step]:
        await wait_for(actor.workspace_id, run, "waiting")


async def test_breakpoints_set_while_it_pauses_count_when_it_goes_on(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "a")
    async with a_worker():
        run, _ = await tried(actor, flow)
        await pause_at(actor, flow, "answer")
        await breakpoints.go_on(actor, flow, run, GoOnForm("a"))
        await wait_until_paused(actor, run, "answer")


@pytest.mark.parametrize(("how", "places"), [("each", ["in:0", "in:1", "in:2"]), ("first", ["in:0"])])
async def test_in_rounds_each_pauses_or_the_first_with_the_value_of_that_round(actor, how, places):
    flow = await a_flow(actor, rounds())
    await pause_at(actor, flow, "in", rounds=how)
    async with a_worker():
        run, _ = await tried(actor, flow)
        for place, text in zip(places, ("ab", "cd", "ef"), strict=False):
            await wait_until_paused(actor, run, place)
            assert (await breaking.pauses(actor, run))[0].inputs == {"text": text}
            edits = {"text": "CD"} if place == "in:1" else {}
            await breakpoints.go_on(actor, flow, run, GoOnForm(place, edits=edits))
        await wait_for(actor.workspace_id, run, "succeeded")
        view = await runs.run(actor, run)
    middle = "<CD>" if how == "each" else "<cd>"
    assert view.output["data"] == ["<ab>", middle, "<ef>"]
    inputs = {step.key: step.inputs for step in view.steps}
    assert inputs["in:0"] == {"text": "ab"} and inputs["in:2"] == {"text": "ef"}


async def test_a_pause_outlives_its_worker_and_holds_none(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow)
    async with a_worker():
        view = await going_on(actor, flow, run, "b", until="succeeded", object={"by": "hand"})
    assert view.output["data"] == {"by": "hand", "b": "b"}


async def test_values_that_do_not_fit_are_refused_with_their_port_and_nothing_goes_on(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow)
        with pytest.raises(Refused) as refused:
            await breakpoints.go_on(actor, flow, run, GoOnForm("b", edits={"object": "words"}))
        assert refused.value.field == "object"
        with pytest.raises(Refused, match="no input"):
            await breakpoints.go_on(actor, flow, run, GoOnForm("b", edits={"nobody": 1}))
        assert [each.step for each in await breaking.pauses(actor, run)] == ["b"]


async def test_a_step_is_gone_on_with_once_and_what_does_not_pause_is_refused(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow)
    await breakpoints.go_on(actor, flow, run, GoOnForm("b"))
    for step in ("b", "a", "nobody", "b:3"):
        with pytest.raises(Conflict):
            await breakpoints.go_on(actor, flow, run, GoOnForm(step))
    assert await breaking.pauses(actor, run) == []


async def test_published_runs_and_those_of_others_never_pause(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "a", "b")
    version = await service.publish(actor, flow, "", "")
    assert (await published.answer(actor, version, {"x": 1}, trigger="api")).status == "succeeded"
    colleague = await an_actor(workspace_id=actor.workspace_id)
    assert await breakpoints.breakpoints(colleague, flow) == []
    _, events = await tried(colleague, flow)
    assert events[-1]["type"] == "run.succeeded"


async def test_pins_and_steps_taken_up_again_go_with_breakpoints(actor):
    flow = await a_flow(actor, chain())
    await pins.pin(actor, flow, "a", PinForm({"object": {"pinned": True}}))
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow)
        assert (await breaking.pauses(actor, run))[0].inputs == {"object": {"pinned": True}}
        await going_on(actor, flow, run, "b", until="succeeded")
        again = await tries_again.again(actor, flow, run, AgainForm("from", "b", {"object": {"other": 1}}))
        await wait_for(actor.workspace_id, again, "waiting")
        assert (await breaking.pauses(actor, again))[0].inputs == {"object": {"other": 1}}
        view = await going_on(actor, flow, again, "b", until="succeeded")
    assert view.output["data"] == {"other": 1, "b": "b"}


async def test_start_steps_notes_strangers_and_viewers_get_none(actor):
    flow = await a_flow(actor, chain())
    with pytest.raises(Refused, match="start step"):
        await pause_at(actor, flow, "start")
    with pytest.raises(NotFound):
        await pause_at(actor, flow, "nobody")
    stranger = await an_actor()
    for act in (
        breakpoints.breakpoints(stranger, flow),
        breakpoints.set(stranger, flow, "a", BreakForm()),
        breakpoints.clear(stranger, flow, "a"),
        breakpoints.clear_all(stranger, flow),
    ):
        with pytest.raises(NotFound):
            await act
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow)
    with pytest.raises(NotFound):
        await breakpoints.go_on(stranger, flow, run, GoOnForm("b"))
    viewer = await an_actor(workspace_id=actor.workspace_id, role="viewer")
    with pytest.raises(NotAllowed):
        await breakpoints.go_on(viewer, flow, run, GoOnForm("b"))
    with pytest.raises(Refused, match="program's own"):
        await published.signal(actor, run, BREAK, {"do": "skip"})


async def test_what_was_taken_away_is_given_back_and_gone_steps_are_not_listed(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "a", rounds="first")
    await pause_at(actor, flow, "b")
    assert [(each.node, each.rounds) for each in await breakpoints.breakpoints(actor, flow)] == [
        ("a", "first"), ("b", "each"),
    ]  # fmt: skip
    was = await breakpoints.clear(actor, flow, "a")
    assert was is not None and was.rounds == "first" and await breakpoints.clear(actor, flow, "a") is None
    assert [each.node for each in await breakpoints.clear_all(actor, flow)] == ["b"]


async def test_secrets_are_hidden_where_it_pauses_and_kept_when_it_goes_on(actor):
    flow = await a_flow(actor, chain())
    await pause_at(actor, flow, "b")
    async with a_worker():
        run, _ = await tried(actor, flow, {"password": "correct horse battery"})
        [pause] = await breaking.pauses(actor, run)
        assert "correct horse" not in str(pause) and "correct horse" not in str(await runs.run(actor, run))
        shown = pause.inputs["object"] | {"more": 1}
        await going_on(actor, flow, run, "b", until="succeeded", object=shown)
    async with a_worker():
        again = await tries_again.again(actor, flow, run, AgainForm("only", "answer"))
        await wait_for(actor.workspace_id, again, "succeeded")
    from app.db import tenant_tx

    async with tenant_tx(actor.workspace_id) as tx:
        kept = await tx.fetchval("select output::text from run where id = $1", again)
    assert "correct horse battery" in kept and '"more":1' in kept.replace(" ", "")
