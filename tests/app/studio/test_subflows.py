"""Steps become a flow of their own and come back: the document is what it was, and the answer of a run as well."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.errors import Refused
from app.events import hub
from app.runs import running
from app.runs import service as runs
from app.studio import queries, service
from app.studio.forms import CollapseForm, InlineForm
from app.studio.inlining import inlined
from app.studio.ops import apply, check_whole
from app.studio.subflows import cut, replacing
from app.studio.wiring import edit
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.accounts import an_actor
from tests.factories.runs import a_worker
from tests.factories.studio import a_document, a_flow

KINDS = catalogue.load()


@pytest.fixture
async def engine(db: None) -> AsyncIterator[running.Host]:
    host = await running.start("cli")
    await hub.start()
    yield host
    await hub.stop()
    await running.stop()


def two_and_two() -> Flow:
    """Two values go into the middle, two come out of it; what comes out is put together again."""
    return Flow(
        name="Bed planner",
        nodes=[
            NodeUse("ask", "start.chat"),
            NodeUse("first", "ai.prompt", x=280, settings={"template": "1 {{ a }}"}),
            NodeUse("low", "ai.prompt", x=560, settings={"template": "low {{ a }} {{ b }}"}),
            NodeUse("high", "ai.prompt", x=560, y=200, settings={"template": "high {{ a }}"}),
            NodeUse("sum", "ai.prompt", x=840, settings={"template": "{{ x }} + {{ y }}"}),
            NodeUse("reply", "show.answer", x=1120),
        ],
        edges=[
            Edge("ask.message", "first.a"), Edge("first.text", "low.a"), Edge("ask.message", "low.b"),
            Edge("first.text", "high.a"), Edge("low.text", "sum.x"), Edge("high.text", "sum.y"),
            Edge("sum.text", "reply.text"),
        ],
    )  # fmt: skip


def collapsed(flow: Flow, *ids: str) -> tuple[Flow, Flow, list]:
    part = cut(flow, ids, "Part", KINDS)
    taken = {node.id for node in flow.nodes}
    ops = replacing(part, uuid4(), "Part", "call", KINDS, taken)
    done = edit(flow, ops, KINDS, lenient=False)
    return done.flow, part.inner, done.inverse


def shape(flow: Flow) -> set[str]:
    return {edge.id for edge in flow.edges}


def a_form(*ids: str) -> CollapseForm:
    return CollapseForm(base=0, batch=uuid4().hex, client="tab-1", ids=list(ids), name="Write it")


def test_one_value_in_and_one_out_become_the_ports_of_one_step():
    after, inner, inverse = collapsed(a_document(), "write")
    assert shape(after) == {"ask.message>call.question", "call.text>reply.text"}
    assert [node.type for node in inner.nodes] == ["start.api", "data.json", "ai.prompt", "show.answer"]
    check_whole(inner)
    assert apply(after, inverse)[0] == a_document()


@pytest.mark.parametrize("ids", [("write",), ("low", "high"), ("first", "low", "high"), ("low", "high", "sum")])
def test_collapsed_and_put_back_the_wires_are_the_same_again(ids):
    flow = a_document() if ids == ("write",) else two_and_two()
    after, inner, _ = collapsed(flow, *ids)
    call = next(node for node in after.nodes if node.id == "call")
    taken = {node.id for node in after.nodes}
    back = edit(after, inlined(after, call, inner, KINDS, taken), KINDS, lenient=False)
    assert shape(back.flow) == shape(flow)
    assert {n.id: n.settings for n in back.flow.nodes} == {n.id: n.settings for n in flow.nodes}
    assert apply(back.flow, back.inverse)[0] == after


def test_what_starts_the_flow_or_answers_for_it_stays_outside():
    with pytest.raises(Refused, match="starts this flow"):
        cut(a_document(), ["ask", "write"], "x", KINDS)
    with pytest.raises(Refused, match="answers for this flow"):
        cut(a_document(), ["write", "reply"], "x", KINDS)


def test_a_choice_that_ends_at_the_edge_is_refused_with_the_way_out():
    flow = a_document()
    flow.nodes.append(NodeUse("if", "logic.if", settings={}))
    ports = {p.name for p in KINDS["logic.if"].ports(KINDS["logic.if"].default_settings()).outputs if p.branch}
    way = sorted(ports)[0]
    flow.nodes.append(NodeUse("yes", "ai.prompt", settings={"template": "{{ x }}"}))
    flow.edges += [Edge(f"if.{way}", "yes.x"), Edge("yes.text", "write.more")]
    flow.nodes[1].settings["template"] = "{{ question }} {{ more }}"
    with pytest.raises(Refused, match="decided inside"):
        cut(flow, ["if", "yes"], "x", KINDS)


def test_steps_of_different_levels_are_refused():
    flow = a_document()
    flow.nodes += [NodeUse("loop", "logic.each"), NodeUse("in", "ai.prompt", parent="loop")]
    with pytest.raises(Refused, match="different levels"):
        cut(flow, ["write", "in"], "x", KINDS)


async def test_a_run_gives_the_same_answer_before_and_after_and_undo_brings_the_steps_back(db, engine):
    actor = await an_actor()
    flow_id = await a_flow(actor, two_and_two())
    before = await queries.draft(actor, flow_id)

    async def said() -> str:
        version = await service.publish(actor, flow_id, "", "")
        outcome = await runs.answer(actor, version, {"message": "beans"}, trigger="chat")
        assert outcome.status == "succeeded", outcome.error
        return str(outcome.output)

    async with a_worker():
        plain = await said()
        answer = await service.collapse(actor, flow_id, a_form("low", "high"))
        assert await said() == plain
        call = next(node for node in answer.flow.nodes if node.type == "logic.flow")
        assert {flow.name for flow in await queries.flows(actor)} == {"Bed planner", "Write it"}
        form = InlineForm(base=answer.rev, batch=uuid4().hex, client="tab-1", id=call.id)
        back = await service.inline(actor, flow_id, form)
        assert shape(back.flow) == shape(before[0])
        assert await said() == plain
        await service.undo(actor, flow_id, "tab-1")
        await service.undo(actor, flow_id, "tab-1")
        assert (await queries.draft(actor, flow_id))[0] == before[0]


async def test_the_same_request_twice_makes_one_flow(db):
    actor = await an_actor()
    flow_id = await a_flow(actor)
    form = a_form("write")
    await service.collapse(actor, flow_id, form)
    again = await service.collapse(actor, flow_id, form)
    assert again.resync
    assert len(await queries.flows(actor)) == 2


async def test_steps_that_can_not_run_are_refused(db):
    actor = await an_actor()
    flow = a_document()
    flow.nodes.append(NodeUse("cut", "text.split", settings={"size": 0}))
    flow.edges.append(Edge("ask.message", "cut.text"))
    flow_id = await a_flow(actor, flow)
    with pytest.raises(Refused, match="can't run yet"):
        await service.collapse(actor, flow_id, a_form("cut"))
