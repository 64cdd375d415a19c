"""Breakpoints, rules 110 to 117: a run pauses before a step, shows what would go in, and goes on as it is told."""

from typing import Any

import msgspec
import pytest

from flows.breaks import BREAK, Breaks, Verdict
from flows.ledger import MemoryLedger
from flows.ledger.protocol import StepChange
from flows.model import Flow, NodeUse
from flows.run import Engine
from flows.sdk import Signal
from tests.flows.nodes import Log, durable, flow, nodes, plan_of, statuses


def a_chain() -> Flow:
    """a → pay → c."""
    return flow(
        NodeUse("a", "say"), NodeUse("pay", "pay"), NodeUse("c", "pass"), wires="a.text>pay.value pay.text>c.value"
    )


def rounds(**settings: Any) -> Flow:
    return flow(
        NodeUse("list", "list", settings={"items": ["x", "y", "z"]}),
        NodeUse("each", "logic.each", settings=settings),
        NodeUse("in", "pass", parent="each"),
        NodeUse("end", "pass"),
        wires="list.items>each.items each.item>in.value in.value>each.result each.results>end.value",
    )


def paused(ledger: MemoryLedger) -> list[str]:
    return [
        f"{row.node}:{row.iter}" if row.iter else row.node
        for row in ledger.runs["r"].steps
        if row.status == "waiting" and row.wait is not None and row.wait.signal == BREAK
    ]


def say(ledger: MemoryLedger, step: str, **verdict: Any) -> None:
    ledger.signal("r", Signal(BREAK, msgspec.to_builtins(Verdict(**verdict)), step=step))


def at(*steps: str, **more: Any) -> dict[str, Any]:
    return {"breaks": Breaks(dict.fromkeys(steps, "each"), **more)}


def output(ledger: MemoryLedger, node: str, iter: str = "") -> Any:
    row = next(row for row in ledger.runs["r"].steps if (row.node, row.iter) == (node, iter))
    return msgspec.json.decode(row.output or "null")


async def test_rule_110_the_run_sleeps_before_the_step_with_what_would_go_in_on_record():
    ledger, log = MemoryLedger(), Log()
    outcome = await durable(a_chain(), ledger, log, facts=at("pay"))
    assert outcome.status == "waiting" and log.calls == ["a"]
    assert paused(ledger) == ["pay"] and "c" not in statuses(ledger)
    row = next(row for row in ledger.runs["r"].steps if row.node == "pay")
    assert row.wait is not None and row.wait.data == {"inputs": {"value": "a"}} and row.attempt == 0
    assert [event["type"] for event in ledger.events["r"]][-1] == "run.waiting"
    say(ledger, "pay")
    assert (await durable(a_chain(), ledger, log)).status == "succeeded"
    assert log.calls == ["a", "pay"]


async def test_rule_111_values_that_are_given_take_the_place_of_what_the_wires_carried():
    ledger = MemoryLedger()
    await durable(a_chain(), ledger, facts=at("c"))
    say(ledger, "c", edits={"value": {"hand": "made"}})
    await durable(a_chain(), ledger)
    assert output(ledger, "c") == {"value": {"hand": "made"}}


async def test_rule_112_a_step_that_is_skipped_is_silent_and_so_is_what_hangs_on_it():
    ledger, log = MemoryLedger(), Log()
    await durable(a_chain(), ledger, log, facts=at("pay"))
    say(ledger, "pay", do="skip")
    assert (await durable(a_chain(), ledger, log)).status == "succeeded"
    assert statuses(ledger) == {"a": "succeeded", "pay": "skipped", "c": "skipped"} and log.calls == ["a"]


async def test_rule_113_going_on_may_say_where_it_pauses_from_now_on():
    ledger = MemoryLedger()
    await durable(a_chain(), ledger, facts=at("a", "pay", "c"))
    assert paused(ledger) == ["a"]
    say(ledger, "a", breaks=Breaks(every=True))
    ledger.runs["r"] = msgspec.structs.replace(ledger.runs["r"], breaks=Breaks(every=True))  # as the host stores it
    await durable(a_chain(), ledger)
    assert paused(ledger) == ["pay"]
    say(ledger, "pay", breaks=Breaks())
    assert (await durable(a_chain(), ledger)).status == "succeeded"


@pytest.mark.parametrize(("at_once", "how", "seen"), [(1, "each", 3), (3, "each", 3), (1, "first", 1), (3, "first", 1)])
async def test_rule_114_each_round_pauses_or_the_one_that_comes_first(at_once, how, seen):
    ledger, made = MemoryLedger(), rounds(at_once=at_once)
    outcome = await durable(made, ledger, facts={"breaks": Breaks({"in": how})})
    places = []
    while outcome.status == "waiting":
        assert len(paused(ledger)) == (1 if how == "first" else min(at_once, 3 - len(places)))
        places.append(paused(ledger)[0])
        hit = msgspec.structs.replace(ledger.runs["r"].breaks, hit=("in",) if how == "first" else ())
        say(ledger, places[-1], breaks=hit)
        ledger.runs["r"] = msgspec.structs.replace(ledger.runs["r"], breaks=hit)
        outcome = await durable(made, ledger)
    assert len(places) == seen and places[0] == "in:0"
    assert output(ledger, "end") == {"value": ["x", "y", "z"]}


async def test_rule_114_the_value_of_a_round_is_shown():
    ledger = MemoryLedger()
    await durable(rounds(at_once=1), ledger, facts=at("in"))
    row = next(row for row in ledger.runs["r"].steps if (row.node, row.iter) == ("in", "0"))
    assert row.wait is not None and row.wait.data == {"inputs": {"value": "x"}}


async def test_rule_115_after_a_crash_a_pause_is_still_there_and_what_was_gone_on_with_is_not_paused_at_again():
    ledger, log = MemoryLedger(), Log()
    await durable(a_chain(), ledger, log, facts=at("pay", "c"))
    await durable(a_chain(), ledger, log)  # another worker, same ledger
    assert paused(ledger) == ["pay"]
    await ledger.write(ledger.claim("r"), [StepChange("pay", "", "ready", 0, "at_most_once", signal=Signal(BREAK))])
    row = next(row for row in ledger.runs["r"].steps if row.node == "pay")
    edited = msgspec.structs.replace(row, edits={"value": "by hand"})
    rest = [each for each in ledger.runs["r"].steps if each.node != "pay"]
    ledger.runs["r"] = msgspec.structs.replace(ledger.runs["r"], steps=[*rest, edited])
    await durable(a_chain(), ledger, log)
    assert log.calls == ["a", "pay"] and paused(ledger) == ["c"]


async def test_rule_115_a_container_that_was_gone_on_with_is_not_paused_at_while_its_rounds_are():
    ledger, made = MemoryLedger(), rounds(at_once=1)
    await durable(made, ledger, facts=at("each", "in"))
    assert paused(ledger) == ["each"]
    for step in ("each", "in:0", "in:1", "in:2"):
        assert paused(ledger) == [step]
        say(ledger, step)
        outcome = await durable(made, ledger)
    assert outcome.status == "succeeded"


async def test_rule_115_a_step_that_waits_itself_is_not_told_of_the_pause():
    made = flow(NodeUse("hold", "logic.signal", settings={"name": "paid"}), NodeUse("c", "pass"))
    ledger = MemoryLedger()
    await durable(made, ledger, facts=at("hold"))
    say(ledger, "hold")
    assert (await durable(made, ledger)).status == "waiting"
    row = next(row for row in ledger.runs["r"].steps if row.node == "hold")
    assert row.wait is not None and row.wait.signal == "paid"


async def test_rule_116_when_nobody_goes_on_the_run_ends():
    ledger, log = MemoryLedger(), Log()
    outcome = await durable(a_chain(), ledger, log, facts=at("pay", patience=0.0))
    assert outcome.status == "cancelled" and outcome.fault is not None and "Nobody went on" in outcome.fault.message
    assert statuses(ledger)["pay"] == "cancelled" and log.calls == ["a"]


async def test_rule_117_start_steps_and_steps_of_called_flows_have_none_and_other_branches_go_on():
    inner = plan_of(flow(NodeUse("pay", "pay"), NodeUse("answer", "show.answer"), wires="pay.text>answer.text"))

    async def flow_of(facts: Any, version: str) -> Any:
        return inner

    made = flow(
        NodeUse("call", "logic.flow", settings={"flow": "f1"}),
        NodeUse("aside", "say"),
        NodeUse("pay", "pass"),
        wires="aside.text>pay.value",
    )
    ledger, log = MemoryLedger(), Log()
    ledger.open("r", None, breaks=Breaks({"pay": "each"}))
    engine = Engine(nodes(log), ledger, flow_of=flow_of)
    outcome = await engine.advance(ledger.claim("r"), plan_of(made, log))
    assert outcome.status == "waiting" and paused(ledger) == ["pay"]
    assert statuses(ledger)["call/pay"] == "succeeded"
