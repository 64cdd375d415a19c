"""Repeat, next round, stop repeating, stop flow: rules 8 and 46 to 49, in both lanes, and through crashes."""

import asyncio
from typing import Any

import pytest

from flows.compile import check
from flows.ledger import MemoryLedger
from flows.limits import Limits
from flows.model import NodeUse
from flows.sdk import Signal
from tests.flows.nodes import Log, durable, express, flow, nodes, plan_of, statuses


def output_of(record: Any, node: str) -> Any:
    return next(step.output for step in record.steps if step.node == node)


def status_of(record: Any) -> dict[str, str]:
    return {f"{s.node}:{s.iter}" if s.iter else s.node: s.status for s in record.steps}


@pytest.mark.parametrize(
    ("mode", "condition", "state", "rounds"),
    [
        ("while", "state < 20", 32, 5),
        ("until", "state >= 20", 32, 5),
        ("while", "false", 1, 0),
        ("until", "true", 2, 1),
    ],
)
async def test_rule_46_a_loop_runs_while_or_until_its_condition_holds_and_hands_its_state_on(
    mode, condition, state, rounds
):
    made = flow(
        NodeUse("one", "number", settings={"value": 1}),
        NodeUse("loop", "logic.loop", settings={"mode": mode, "condition": condition}),
        NodeUse("twice", "double", parent="loop"),
        NodeUse("end", "pass"),
        wires="one.value>loop.state loop.current>twice.value twice.value>loop.next loop.state>end.value",
    )
    record = await express(made)
    assert output_of(record, "end").value == state and output_of(record, "loop").rounds == rounds
    assert [s.iter for s in record.steps if s.node == "twice"] == [str(i) for i in range(rounds)]
    assert (await durable(made, MemoryLedger())).outputs["end"].value == state


async def test_rule_46_the_condition_knows_what_is_wired_into_the_loop_and_is_checked_before_anything_runs():
    made = flow(
        NodeUse("one", "number", settings={"value": 1}),
        NodeUse("most", "number", settings={"value": 10}),
        NodeUse("loop", "logic.loop", settings={"condition": "state < most && index < 100"}),
        NodeUse("twice", "double", parent="loop"),
        wires="one.value>loop.state most.value>loop.most loop.current>twice.value twice.value>loop.next",
    )
    assert output_of(await express(made), "loop").state == 16
    wrong = flow(NodeUse("loop", "logic.loop", settings={"condition": "state <"}), NodeUse("x", "say", parent="loop"))
    assert any("can't be read" in p.message and p.field == "condition" for p in check(wrong, nodes(Log())))


@pytest.mark.parametrize(("on_limit", "status"), [("fail", "failed"), ("go on", "succeeded")])
async def test_rule_47_a_loop_that_does_not_end_has_a_limit(on_limit, status):
    made = flow(
        NodeUse("loop", "logic.loop", settings={"condition": "true", "limit": 3, "on_limit": on_limit}),
        NodeUse("x", "say", parent="loop"),
        wires="loop.index>x.value",
    )
    record = await express(made)
    assert record.status == status
    if status == "failed":
        assert record.fault.field == "limit" and "within 3 rounds" in record.fault.message
    else:
        assert output_of(record, "loop").rounds == 3
    endless = flow(
        NodeUse("loop", "logic.loop", settings={"limit": 100_000}),
        NodeUse("x", "say", parent="loop"),
        wires="loop.index>x.value",
    )
    record = await express(endless, limits=Limits(items=200))
    assert "more than 200 rounds" in record.fault.message


def with_exit(kind: str, *, each: bool, at_once: int = 1) -> Any:
    """Items 0 to 5; at item 2 a step leaves. `slow` hangs beside the exit, `late` behind it."""
    outer = (
        NodeUse("box", "logic.each", settings={"at_once": at_once})
        if each
        else NodeUse("box", "logic.loop", settings={"condition": "index < 6"})
    )
    result = "result" if each else "next"
    return flow(
        NodeUse("list", "list", settings={"items": list(range(6))}),
        outer,
        NodeUse("two", "logic.if", settings={"expression": "index == 2"}, parent="box"),
        NodeUse("exit", kind, parent="box"),
        NodeUse("slow", "say", settings={"after": 0.02, "text": "r{{ index }}"}, parent="box"),
        NodeUse("late", "pass", parent="box"),
        NodeUse("end", "pass"),
        wires=("list.items>box.items box.results>end.value " if each else "box.state>end.value ")
        + "box.index>two.value box.index>two.index two.yes>exit.value box.index>slow.index slow.text>late.value "
        + f"late.value>box.{result}",
    )


@pytest.mark.parametrize("at_once", [1, 4])
async def test_rule_48_next_round_ends_this_one_and_its_value_is_what_the_round_hands_over(at_once):
    made = with_exit("logic.next", each=True, at_once=at_once)
    record = await express(made)
    assert output_of(record, "end").value == ["r0", "r1", 2, "r3", "r4", "r5"]
    states = status_of(record)
    assert (states["slow:2"], states["late:2"], states["late:3"]) == ("skipped", "skipped", "succeeded")
    outcome = await durable(made, MemoryLedger())
    assert outcome.outputs["end"].value == ["r0", "r1", 2, "r3", "r4", "r5"]


@pytest.mark.parametrize("at_once", [1, 4])
async def test_rule_49_leaving_ends_the_container_earlier_rounds_finish_and_later_ones_do_not_count(at_once):
    made = with_exit("logic.leave", each=True, at_once=at_once)
    record = await express(made)
    assert output_of(record, "end").value == ["r0", "r1", 2]
    ledger = MemoryLedger()
    assert (await durable(made, ledger)).outputs["end"].value == ["r0", "r1", 2]
    assert statuses(ledger).get("late:3") in (None, "cancelled")
    looped = with_exit("logic.leave", each=False)
    record = await express(looped)
    assert output_of(record, "end").value == 2 and output_of(record, "box").rounds == 3


def stopping(outcome: str, *, deep: bool = True) -> Any:
    inside = {"parent": "inner"} if deep else {}
    return flow(
        NodeUse("list", "list", settings={"items": [[1], [2]]}),
        NodeUse("outer", "logic.each"),
        NodeUse("inner", "logic.each", parent="outer"),
        NodeUse("slow", "say", settings={"after": 0.05}, parent="outer"),
        NodeUse("beside", "say", settings={"after": 0.05}),
        NodeUse("second", "logic.if", settings={"expression": "item == 2"}, **inside),
        NodeUse("stop", "logic.stop", settings={"outcome": outcome, "text": "enough", "message": "too many"}, **inside),
        NodeUse("end", "show.answer"),
        wires="list.items>outer.items outer.item>inner.items inner.item>second.item inner.item>second.value "
        "second.yes>stop.data inner.results>outer.result outer.index>slow.value beside.text>end.text",
    )


@pytest.mark.parametrize("outcome", ["success", "failure"])
async def test_rule_8_stop_flow_ends_it_from_any_depth_as_success_or_failure(outcome):
    record = await express(stopping(outcome))
    states = status_of(record)
    assert states["stop:1.0"] == "succeeded" and states["beside"] == states["end"] == "skipped"
    ledger = MemoryLedger()
    durably = await durable(stopping(outcome), ledger)
    if outcome == "success":
        assert record.status == durably.status == "succeeded"
        assert (record.output.text, record.output.data) == ("enough", 2) and '"text":"enough"' in (durably.output or "")
    else:
        assert record.status == durably.status == "failed"
        assert record.fault.message == durably.fault.message == "too many" and record.fault.node == "stop"
    assert statuses(ledger)["slow:0"] == "skipped" and statuses(ledger)["outer"] == "cancelled"


async def test_rule_8_what_must_not_happen_twice_finishes_and_a_stopped_sub_flow_stops_alone():
    log, ledger = Log(), MemoryLedger()
    inner = flow(
        NodeUse("pay", "pay", settings={"after": 0.02}),
        NodeUse("then", "say"),
        NodeUse("stop", "logic.stop", settings={"text": "short"}),
        wires="pay.text>then.value",
    )

    async def flow_of(facts: Any, version: str) -> Any:
        return plan_of(inner, log)

    outer = flow(
        NodeUse("sub", "logic.flow", settings={"flow": "v1"}),
        NodeUse("end", "show.answer"),
        wires="sub.text>end.text",
    )
    outcome = await durable(outer, ledger, log, engine={"flow_of": flow_of})
    assert outcome.status == "succeeded" and '"text":"short"' in (outcome.output or "")
    assert log.calls == ["sub/pay"]
    assert statuses(ledger)["sub/pay"] == "succeeded" and statuses(ledger)["sub/then"] == "skipped"


async def test_a_person_who_is_asked_in_a_round_that_ends_is_asked_no_more():
    ledger = MemoryLedger()
    made = flow(
        NodeUse("list", "list", settings={"items": [1]}),
        NodeUse("each", "logic.each"),
        NodeUse("ask", "people.approval", parent="each"),
        NodeUse("wait", "say", settings={"after": 0.01}, parent="each"),
        NodeUse("leave", "logic.leave", parent="each"),
        wires="list.items>each.items each.item>ask.value each.item>wait.value wait.text>leave.value",
    )
    assert (await durable(made, ledger)).status == "succeeded"
    assert statuses(ledger)["ask:0"] == "skipped"


async def test_leaving_while_something_deeper_waits_survives_sleeping_in_between():
    """Round 0 waits for a person, round 1 waits for another; the second answer leaves the container for good."""
    ledger, log = MemoryLedger(), Log()
    made = flow(
        NodeUse("list", "list", settings={"items": ["a", "b", "c"]}),
        NodeUse("each", "logic.each", settings={"at_once": 2}),
        NodeUse("ask", "people.approval", parent="each"),
        NodeUse("work", "ask", parent="each"),
        NodeUse("leave", "logic.leave", parent="each"),
        NodeUse("end", "pass"),
        wires="list.items>each.items each.item>ask.value each.item>work.value ask.rejected>leave.value "
        "ask.approved>each.result each.results>end.value",
    )
    assert (await durable(made, ledger, log)).status == "waiting"
    ledger.signal("r", Signal("approval", {"choice": "reject"}, step="ask:1"))
    assert (await durable(made, ledger, log)).status == "waiting"
    ledger.signal("r", Signal("approval", {"choice": "approve"}, step="ask:0"))
    outcome = await durable(made, ledger, log)
    assert outcome.status == "succeeded" and outcome.outputs["end"].value == ["a", "b"]
    assert sorted(log.calls) == ["work:0", "work:1"]


def test_what_leaves_must_lie_in_a_container():
    for kind in ("logic.next", "logic.leave"):
        found = check(flow(NodeUse("a", kind, label="Out")), nodes(Log()))
        assert [p.message for p in found] == [
            "'Out' leaves the container it lies in, but lies in none. Put it into one."
        ]
    assert check(flow(NodeUse("a", "logic.stop")), nodes(Log())) == []


async def test_containers_nest_as_deep_as_anybody_needs():
    deep = 20
    uses = [NodeUse(f"b{i}", "logic.each", parent=f"b{i - 1}" if i else "") for i in range(deep)]
    wires = " ".join(f"b{i}.item>b{i + 1}.items b{i + 1}.results>b{i}.result" for i in range(deep - 1))
    items: Any = "x"
    for _ in range(deep):
        items = [items]
    made = flow(
        NodeUse("list", "list", settings={"items": items}),
        *uses,
        NodeUse("end", "pass"),
        wires=f"list.items>b0.items b0.results>end.value b{deep - 1}.item>b{deep - 1}.result {wires}",
    )
    assert output_of(await express(made), "end").value == items


async def test_a_long_loop_lets_others_run_and_can_be_cancelled():
    stop = asyncio.Event()
    made = flow(
        NodeUse("loop", "logic.loop", settings={"limit": 100_000}),
        NodeUse("x", "pass", parent="loop"),
        wires="loop.index>x.value",
    )
    asyncio.get_running_loop().call_later(0.01, stop.set)
    record = await express(made, cancelled=stop)
    assert record.status == "cancelled"
