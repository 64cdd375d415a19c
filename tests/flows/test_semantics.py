"""One test per rule of docs/flow-semantics.md; the number is in the name. Both lanes where a rule holds in both."""

import asyncio
import time
from functools import partial
from typing import Any

import pytest

from components.logic.webhook import signal_of
from flows.compile import compile
from flows.ledger import MemoryLedger
from flows.ledger.protocol import LostRun
from flows.limits import Limits
from flows.model import NodeUse, Retry
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, Message, NodeError, Nothing, Signal, node
from flows.sdk.context import RunFacts
from flows.sdk.testing import FakeCalls
from tests.flows.nodes import Log, Text, durable, express, flow, nodes, plan_of, statuses


def status_of(record: Any) -> dict[str, str]:
    return {step.node: step.status for step in record.steps}


def output_of(record: Any, node: str) -> Any:
    return next(step.output for step in record.steps if step.node == node)


# 1-9 when a step runs


async def test_rule_1_steps_without_wires_start_at_once_and_side_by_side():
    log = Log()
    made = flow(*(NodeUse(f"n{i}", "say", settings={"after": 0.05}) for i in range(10)))
    await express(made, log)
    assert log.most == 10


async def test_rule_2_a_step_starts_when_all_its_wires_are_resolved_and_only_once():
    log = Log()
    made = flow(
        NodeUse("slow", "say", settings={"after": 0.02}),
        NodeUse("fast", "say"),
        NodeUse("both", "gather"),
        wires="slow.text>both.things fast.text>both.things",
    )
    record = await express(made, log)
    assert output_of(record, "both").value == ["slow", "fast"]
    assert status_of(record) == {"slow": "succeeded", "fast": "succeeded", "both": "succeeded"}


async def test_rule_3_a_branch_that_stays_silent_skips_what_hangs_on_it_as_far_as_it_reaches():
    made = flow(
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("a", "pass"),
        NodeUse("b", "pass"),
        NodeUse("c", "pass"),
        wires="if.yes>a.value a.value>b.value if.no>c.value",
    )
    record = await express(made)
    assert status_of(record) == {"if": "succeeded", "a": "skipped", "b": "skipped", "c": "succeeded"}


async def test_rule_3_ten_thousand_skipped_steps_in_a_row_are_no_problem():
    chain = [NodeUse(f"n{i}", "pass") for i in range(2_000)]
    wires = " ".join(f"n{i}.value>n{i + 1}.value" for i in range(1_999))
    record = await express(
        flow(NodeUse("if", "choose", settings={"value": False}), *chain, wires=f"if.yes>n0.value {wires}")
    )
    assert list(status_of(record).values()).count("skipped") == 2_000


async def test_rule_4_a_step_that_runs_after_another_runs_without_the_value_of_one_that_was_skipped():
    made = flow(
        NodeUse("a", "say"),
        NodeUse("off", "pass", disabled=True),
        NodeUse("b", "pass"),
        wires="a.text>off.value off.value>b.value a.text>b.after",
    )
    assert output_of(await express(made), "b").value is None


async def test_rule_4_after_only_orders_and_carries_no_value():
    log = Log()
    made = flow(
        NodeUse("first", "say", settings={"after": 0.02}),
        NodeUse("then", "say"),
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("never", "say"),
        wires="first.text>then.after if.yes>never.after",
    )
    record = await express(made, log)
    assert log.calls == ["first", "then"] and status_of(record)["never"] == "skipped"


async def test_rule_5_only_the_start_step_of_this_trigger_runs():
    from components.start import NODES as START
    from flows.compile import compile
    from flows.express import run_express
    from tests.flows.nodes import nodes

    catalogue = nodes(Log()) | {kind.name: kind for kind in START}
    made = flow(
        NodeUse("chat", "start.chat"),
        NodeUse("hook", "start.webhook"),
        NodeUse("answer", "show.answer"),
        wires="chat.message>answer.text hook.body>answer.data",
    )
    plan: Any = compile(made, catalogue)
    record = await run_express(plan, {"message": "hi"}, context=RunFacts("r", trigger="chat"))
    assert status_of(record) == {"hook": "skipped", "chat": "succeeded", "answer": "succeeded"}
    assert record.output.text == "hi"


async def test_rule_6_a_step_that_is_switched_off_is_skipped():
    made = flow(
        NodeUse("a", "say"),
        NodeUse("b", "pass", disabled=True),
        NodeUse("c", "pass"),
        wires="a.text>b.value b.value>c.value",
    )
    assert status_of(await express(made)) == {"a": "succeeded", "b": "skipped", "c": "skipped"}


async def test_rule_7_the_first_result_step_that_finishes_is_the_result():
    made = flow(
        NodeUse("slow", "say", settings={"after": 0.02}),
        NodeUse("fast", "say"),
        NodeUse("one", "show.answer"),
        NodeUse("two", "show.answer"),
        wires="slow.text>one.text fast.text>two.text",
    )
    assert (await express(made)).output.text == "fast"


async def test_rule_9_answer_now_is_on_record_and_told_while_the_run_goes_on():
    ledger, seen = MemoryLedger(), asyncio.Event()
    made = flow(
        NodeUse("a", "say"),
        NodeUse("reply", "show.reply"),
        NodeUse("long", "say", settings={"after": 0.05}),
        NodeUse("end", "show.answer"),
        NodeUse("ask", "people.approval"),
        wires="a.text>reply.text a.text>long.value long.text>end.text",
    )
    assert not plan_of(made).express
    told: list[Any] = []

    def listen(event: dict[str, Any]) -> None:
        if event["type"] == "run.answered":
            told.append(event["output"]["text"])
            seen.set()

    running = asyncio.create_task(durable(made, ledger, listen=listen))
    await seen.wait()
    await asyncio.sleep(0.01)
    assert told == ["a"] and statuses(ledger)["reply"] == "succeeded"
    row = ledger.runs["r"]
    assert row.status == "running" and '"text":"a"' in (row.output or "")
    assert (await running).status == "waiting" and told == ["a"]
    assert [event["type"] for event in ledger.events["r"]].count("run.answered") == 1
    ledger.signal("r", Signal("approval", {"choice": "approve"}))
    outcome = await durable(made, ledger, listen=listen)
    assert outcome.status == "succeeded" and '"text":"a"' in (outcome.output or "") and told == ["a"]


# 10-14 joins


AGES = 3_600
"""Seconds a step would take that is called off. Who waits for it never comes to an end: `asyncio.timeout` tells."""


def joined(policy: str, n: int = 2, slow: float = 0.05) -> Any:
    return flow(
        NodeUse("fast", "say"),
        NodeUse("slow", "say", settings={"after": slow}),
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("skipped", "pass"),
        NodeUse("join", "logic.join", settings={"policy": policy, "n": n}),
        NodeUse("end", "pass"),
        wires="if.yes>skipped.value skipped.value>join.values_in slow.text>join.values_in fast.text>join.values_in "
        "join.items>end.value",
    )


async def test_rule_10_join_all_waits_for_every_wire_and_takes_what_came_in_wire_order():
    assert output_of(await express(joined("all")), "end").value == ["slow", "fast"]


async def test_rule_11_join_any_goes_on_at_the_first_value_and_lets_the_others_finish():
    log = Log()
    record = await express(joined("any"), log)
    assert output_of(record, "end").value == ["fast"]
    assert status_of(record)["slow"] == "succeeded"


async def test_rule_12_join_first_calls_off_what_only_served_it():
    async with asyncio.timeout(60):
        record = await express(joined("first", slow=AGES))
    assert output_of(record, "end").value == ["fast"]
    assert status_of(record)["slow"] == "skipped"


async def test_rule_13_join_n_goes_on_at_the_nth_value_and_is_skipped_when_it_can_not_come():
    assert output_of(await express(joined("n", 2)), "end").value == ["slow", "fast"]
    assert status_of(await express(joined("n", 3)))["join"] == "skipped"


@pytest.mark.parametrize("how", ["continue", "wire"])
async def test_rule_14_join_settled_goes_on_however_its_wires_ended_and_says_which(how):
    made = flow(
        NodeUse("good", "say"),
        NodeUse("bad", "say", settings={"fail_times": 9}, on_error=how),
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("never", "pass"),
        NodeUse("join", "logic.join", settings={"policy": "settled"}),
        NodeUse("end", "pass"),
        wires="if.yes>never.value never.value>join.values_in bad.text>join.values_in good.text>join.values_in "
        "join.ended>end.value",
    )
    ledger = MemoryLedger()
    for got in (output_of(await express(made), "join"), (await durable(made, ledger)).outputs["join"]):
        ended = [(one.step, one.status, one.value, one.error) for one in got.ended]
        assert ended == [
            ("never", "skipped", None, ""),
            ("bad", "failed", None, "it broke"),
            ("good", "done", "good", ""),
        ]
        assert got.items == ["good"] and got.failed == [{"step": "bad", "error": "it broke"}]


async def test_rule_14_join_settled_goes_on_with_nothing_at_all_but_not_when_it_should_run_after_what_was_skipped():
    made = flow(
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("join", "logic.join", settings={"policy": "settled"}),
        NodeUse("off", "logic.join", settings={"policy": "settled"}),
        NodeUse("end", "pass"),
        wires="if.yes>join.values_in join.items>end.value if.no>off.values_in if.yes>off.after",
    )
    record = await express(made)
    assert output_of(record, "end").value == [] and status_of(record)["off"] == "skipped"


# 20-26 failures


async def test_rule_20_stop_ends_the_run_and_calls_off_what_runs():
    log = Log()
    made = flow(
        NodeUse("bad", "say", settings={"fail_times": 9, "after": 0.01}),
        NodeUse("long", "say", settings={"after": AGES}),
    )
    async with asyncio.timeout(60):
        record = await express(made, log)
    assert record.status == "failed" and record.fault.message == "it broke" and record.fault.node == "bad"


@pytest.mark.parametrize(
    ("policy", "text", "error"), [("default", "spare", None), ("wire", None, "it broke"), ("continue", None, None)]
)
async def test_rule_21_a_failed_step_gives_its_default_its_error_or_nothing(policy, text, error):
    made = flow(
        NodeUse("bad", "say", settings={"fail_times": 9}, on_error=policy, default={"text": "spare"}),
        NodeUse("normal", "gather"),
        NodeUse("after_error", "gather"),
        wires="bad.text>normal.things" + (" bad.error>after_error.things" if policy == "wire" else ""),
    )
    record = await express(made)
    assert record.status == "succeeded" and status_of(record)["bad"] == "failed"
    assert (output_of(record, "normal").value[0] if text else status_of(record)["normal"]) == (text or "skipped")
    if error:
        assert output_of(record, "after_error").value[0]["message"] == error


async def test_rule_22_tries_count_the_first_one_and_only_errors_that_may_pass_are_tried_again():
    log = Log()
    again = NodeUse("a", "say", settings={"fail_times": 2}, retry=Retry(3, 0.001))
    assert (await express(flow(again), log)).status == "succeeded" and log.count("a") == 3
    log = Log()
    hopeless = NodeUse("a", "say", settings={"fail_times": 2, "retry": False}, retry=Retry(3, 0.001))
    assert (await express(flow(hopeless), log)).status == "failed" and log.count("a") == 1


async def test_rule_23_on_error_comes_after_the_last_try():
    log = Log()
    use = NodeUse(
        "a", "say", settings={"fail_times": 9}, retry=Retry(3, 0.001), on_error="default", default={"text": "x"}
    )
    record = await express(flow(use), log)
    assert log.count("a") == 3 and output_of(record, "a").text == "x"


async def test_rule_24_a_time_limit_is_per_try_and_names_itself():
    log = Log()
    use = NodeUse("a", "say", settings={"after": 5}, timeout=0.02, retry=Retry(2, 0.001))
    record = await express(flow(use), log)
    assert log.count("a") == 2 and "longer than its limit of 0.02 s" in record.fault.message


async def test_rule_25_a_step_that_must_not_happen_twice_is_not_tried_again_after_an_unknown_outcome():
    log = Log()
    use = NodeUse("a", "pay", settings={"after": 5}, timeout=0.02, retry=Retry(5, 0.001))
    outcome = await durable(flow(use), MemoryLedger(), log)
    assert outcome.status == "in_doubt" and log.count("a") == 1


# 40-45 containers


def each(*inside: NodeUse, items: list[Any], wires: str, **settings: Any) -> Any:
    return flow(
        NodeUse("list", "list", settings={"items": items}),
        NodeUse("each", "logic.each", settings=settings),
        *inside,
        NodeUse("end", "pass"),
        wires=f"list.items>each.items each.results>end.value {wires}",
    )


async def test_rule_40_results_are_in_the_order_of_the_items_whatever_finishes_first():
    made = each(
        NodeUse("x", "say", settings={"text": "{{ item }}", "after": 0.01}, parent="each"),
        items=["a", "b", "c", "d"],
        at_once=3,
        wires="each.item>x.item x.text>each.result",
    )
    log = Log()
    record = await express(made, log)
    assert output_of(record, "end").value == ["a", "b", "c", "d"] and log.most == 3
    assert [step.iter for step in record.steps if step.node == "x"] == ["0", "1", "2", "3"]


async def test_rule_41_a_round_whose_result_is_skipped_is_left_out():
    made = each(
        NodeUse("if", "choose", parent="each"),
        items=[1, 0, 2, 0],
        wires="each.item>if.value if.yes>each.result",
    )
    assert output_of(await express(made), "end").value == [1, 2]


@pytest.mark.parametrize(
    ("policy", "result"), [("skip", ["0", "2"]), ("collect", ["0", {"error": "it broke"}, "2"]), ("fail", None)]
)
async def test_rule_42_a_failing_item_fails_is_left_out_or_leaves_its_error(policy, result):
    made = each(
        NodeUse("if", "logic.if", settings={"expression": "index == 1"}, parent="each"),
        NodeUse("bad", "say", settings={"fail_times": 99}, parent="each"),
        NodeUse("x", "say", settings={"text": "{{ index }}"}, parent="each"),
        items=["a", "b", "c"],
        on_item_error=policy,
        wires="each.index>if.index if.yes>bad.after each.index>x.index x.text>each.result",
    )
    record = await express(made)
    if result is None:
        assert record.status == "failed" and "Item 1 failed at step 'bad': it broke" in record.fault.message
    else:
        assert output_of(record, "end").value == result


async def test_rule_43_a_wire_may_lead_into_a_container_however_deep_and_is_the_same_in_every_round():
    made = flow(
        NodeUse("list", "list", settings={"items": [[1, 2], [3]]}),
        NodeUse("word", "say", settings={"text": "w", "after": 0.01}),
        NodeUse("outer", "logic.each"),
        NodeUse("inner", "logic.each", parent="outer"),
        NodeUse("x", "say", settings={"text": "{{ word }}{{ item }}"}, parent="inner"),
        NodeUse("end", "pass"),
        wires="list.items>outer.items outer.item>inner.items inner.item>x.item word.text>x.word x.text>inner.result "
        "inner.results>outer.result outer.results>end.value",
    )
    record = await express(made)
    assert output_of(record, "end").value == [["w1", "w2"], ["w3"]]
    assert {step.iter for step in record.steps if step.node == "x"} == {"0.0", "0.1", "1.0"}


async def test_rule_44_a_container_with_more_rounds_than_allowed_is_refused_before_the_first():
    log = Log()
    made = each(NodeUse("x", "say", parent="each"), items=[1, 2, 3], limit=2, wires="each.item>x.value")
    record = await express(made, log)
    assert record.fault.field == "limit" and log.calls == []


async def test_rule_45_a_container_interrupted_in_the_middle_repeats_only_the_rounds_without_outcome():
    ledger, log, stop = MemoryLedger(), Log(), Stop()
    made = each(
        NodeUse("x", "ask", settings={"after": 0.05}, parent="each"),
        items=list("abcdef"),
        at_once=2,
        wires="each.item>x.value x.text>each.result",
    )
    asyncio.get_running_loop().call_later(0.075, stop.pause.set)
    assert (await durable(made, ledger, log, stop=stop)).status == "queued"
    done = [key for key, status in statuses(ledger).items() if key.startswith("x:") and status == "succeeded"]
    assert 2 <= len(done) < 6
    outcome = await durable(made, ledger, log)
    assert outcome.status == "succeeded" and outcome.outputs["end"].value == ["Hello"] * 6
    assert sorted(log.calls) == [f"x:{i}" for i in range(6)]


async def test_a_long_container_of_pure_steps_writes_as_it_goes():
    ledger = MemoryLedger()
    made = each(
        NodeUse("x", "pass", parent="each"),
        items=list(range(2_000)),
        limit=5_000,
        wires="each.item>x.value x.value>each.result",
    )
    outcome = await durable(made, ledger)
    assert outcome.outputs["end"].value == list(range(2_000)) and ledger.writes >= 4


# 50-56 pauses


async def test_rule_50_a_wait_holds_no_worker_and_ends_when_its_time_has_come():
    ledger = MemoryLedger()
    made = flow(
        NodeUse("w", "logic.wait", settings={"amount": 0.05, "unit": "seconds"}),
        NodeUse("a", "say"),
        NodeUse("b", "pass"),
        wires="a.text>w.value w.value>b.value",
    )
    first = await durable(made, ledger)
    assert first.status == "waiting" and first.wake_at == pytest.approx(time.time() + 0.05, abs=0.05)
    assert statuses(ledger) == {"a": "succeeded", "w": "waiting"}
    await asyncio.sleep(0.06)
    log = Log()
    second = await durable(made, ledger, log)
    assert second.status == "succeeded" and second.outputs["b"].value == "a" and log.calls == []


async def test_rule_51_other_branches_go_on_while_one_waits():
    ledger = MemoryLedger()
    made = flow(
        NodeUse("ask", "people.approval"),
        NodeUse("a", "say", settings={"after": 0.01}),
        NodeUse("b", "pass"),
        wires="a.text>b.value",
    )
    assert (await durable(made, ledger)).status == "waiting"
    assert statuses(ledger) == {"a": "succeeded", "b": "succeeded", "ask": "waiting"}


@pytest.mark.parametrize(("choice", "way"), [("approve", "yes"), ("reject", "no")])
async def test_rule_52_a_signal_ends_the_wait_it_is_meant_for(choice, way):
    ledger = MemoryLedger()
    made = flow(
        NodeUse("ask", "people.approval"),
        NodeUse("yes", "say"),
        NodeUse("no", "say"),
        wires="ask.approved>yes.value ask.rejected>no.value",
    )
    assert (await durable(made, ledger)).status == "waiting"
    ledger.signal("r", Signal("something else"))
    ledger.signal("r", Signal("approval", {"choice": choice}, "user-1", step="other"))
    assert (await durable(made, ledger)).status == "waiting"
    ledger.signal("r", Signal("approval", {"choice": choice}, "user-1", step="ask"))
    outcome = await durable(made, ledger)
    assert outcome.status == "succeeded" and outcome.outputs["ask"].by == "user-1" and way in outcome.outputs
    assert statuses(ledger)["no" if way == "yes" else "yes"] == "skipped"


async def test_rule_53_a_person_may_be_asked_in_every_round_of_a_container():
    ledger = MemoryLedger()
    made = each(
        NodeUse("ask", "people.approval", parent="each"),
        items=["a", "b", "c"],
        at_once=2,
        wires="each.item>ask.value ask.approved>each.result",
    )
    assert (await durable(made, ledger)).status == "waiting"
    assert statuses(ledger) == {"list": "succeeded", "ask:0": "waiting", "ask:1": "waiting"}
    ledger.signal("r", Signal("approval", {"choice": "approve"}, step="ask:1"))
    assert (await durable(made, ledger)).status == "waiting"
    assert statuses(ledger)["ask:2"] == "waiting"
    ledger.signal("r", Signal("approval", {"choice": "reject"}, step="ask:0"))
    ledger.signal("r", Signal("approval", {"choice": "approve"}, step="ask:2"))
    outcome = await durable(made, ledger)
    assert outcome.status == "succeeded" and outcome.outputs["end"].value == ["b", "c"]


async def test_rule_54_time_that_runs_out_for_a_person_takes_the_way_it_was_told():
    ledger = MemoryLedger()
    made = flow(NodeUse("ask", "people.approval", settings={"hours": 0, "on_timeout": "approve"}))
    outcome = await durable(made, ledger)
    while outcome.status == "waiting":
        outcome = await durable(made, ledger)
    assert outcome.outputs["ask"].by == "" and statuses(ledger)["ask"] == "succeeded"


async def test_rule_55_a_signal_that_arrives_while_the_run_is_busy_is_taken_at_once():
    ledger, queue = MemoryLedger(), asyncio.Queue[Signal]()
    made = flow(NodeUse("ask", "people.approval"), NodeUse("busy", "say", settings={"after": 0.1}))
    running = asyncio.create_task(durable(made, ledger, signals=queue))
    await asyncio.sleep(0.02)
    queue.put_nowait(Signal("approval", {"choice": "approve"}))
    assert (await running).status == "succeeded"


async def test_rule_56_a_long_pause_between_tries_holds_no_worker_either():
    ledger, log = MemoryLedger(), Log()
    made = flow(NodeUse("a", "say", settings={"fail_times": 1}, retry=Retry(2, 0.2)))
    limits = Limits(hold=0.0)
    outcome = await durable(made, ledger, log, engine={"limits": limits})
    assert outcome.status == "waiting" and outcome.wake_at is not None and statuses(ledger) == {"a": "backoff"}
    await asyncio.sleep(max(0.0, outcome.wake_at - time.time()))
    while outcome.status == "waiting":
        outcome = await durable(made, ledger, log, engine={"limits": limits})
    assert outcome.status == "succeeded" and log.count("a") == 2


CALLED = flow(
    NodeUse("at", "logic.address"),
    NodeUse("send", "pay"),
    NodeUse("w", "logic.webhook"),
    NodeUse("end", "pass"),
    NodeUse("late", "pass"),
    wires="at.address>send.value at.address>w.address w.received>end.value w.late>late.value",
)
CALLS = {"engine": {"capabilities": {"calls": FakeCalls}}}


def call_of(address: str, body: object) -> Signal:
    return Signal(signal_of(address), {"body": body, "query": {}, "headers": {}}, "a call")


async def test_rule_57_an_address_is_of_one_step_in_one_round_of_one_run_and_its_call_goes_on():
    ledger, other, log = MemoryLedger(), MemoryLedger(), Log()
    first = await durable(CALLED, ledger, log, **CALLS)
    address = first.outputs["at"].address
    assert first.status == "waiting" and log.count("send") == 1
    assert (await durable(CALLED, other, **CALLS)).outputs["at"].address == address  # the same run, computed again
    rounds = each(NodeUse("at", "logic.address", parent="each"), items=[1, 2], wires="at.address>each.result")
    assert len({address, *(await durable(rounds, MemoryLedger(), **CALLS)).outputs["end"].value}) == 3
    ledger.signal("r", call_of("https://x/calls/another", 1))
    assert (await durable(CALLED, ledger, **CALLS)).status == "waiting"
    ledger.signal("r", call_of(address, {"paid": True}))
    outcome = await durable(CALLED, ledger, **CALLS)
    assert outcome.status == "succeeded" and outcome.outputs["end"].value == {"paid": True}
    assert statuses(ledger)["late"] == "skipped"


async def test_rule_58_a_call_that_comes_before_the_wait_begins_is_kept_and_ends_it_at_once():
    early = await durable(CALLED, MemoryLedger(), **CALLS)
    ledger = MemoryLedger()
    ledger.open("r", None)
    ledger.signal("r", call_of(early.outputs["at"].address, "first"))
    ledger.signal("r", call_of(early.outputs["at"].address, "second"))
    outcome = await durable(CALLED, ledger, **CALLS)
    assert outcome.status == "succeeded" and outcome.outputs["end"].value == "first"


async def test_rule_59_a_wait_that_went_on_without_its_call_is_changed_by_none():
    ledger = MemoryLedger()
    made = flow(
        NodeUse("at", "logic.address"),
        NodeUse("w", "logic.webhook", settings={"hours": 0.000001}),
        NodeUse("hold", "logic.signal"),
        wires="at.address>w.address at.address>w.value w.late>hold.value",
    )
    outcome = await durable(made, ledger, **CALLS)
    while statuses(ledger).get("w") != "succeeded":
        outcome = await durable(made, ledger, **CALLS)
    address = outcome.outputs["at"].address
    ledger.signal("r", call_of(address, 1))
    assert (await durable(made, ledger, **CALLS)).status == "waiting"
    ledger.signal("r", Signal("continue"))
    outcome = await durable(made, ledger, **CALLS)
    assert outcome.status == "succeeded" and outcome.outputs["w"].late == address


# 60-67 stopping, resuming, sub-flows, limits


class Stop:
    def __init__(self) -> None:
        self.cancel, self.pause = asyncio.Event(), asyncio.Event()


async def test_rule_60_cancel_stops_what_runs_and_lets_finish_what_must_not_happen_twice():
    ledger, stop = MemoryLedger(), Stop()
    made = flow(NodeUse("long", "say", settings={"after": 5}), NodeUse("pay", "pay", settings={"after": 0.1}))
    asyncio.get_running_loop().call_later(0.02, stop.cancel.set)
    outcome = await durable(made, ledger, stop=stop)
    assert outcome.status == "cancelled" and ledger.runs["r"].status == "cancelled"
    assert statuses(ledger) == {"long": "cancelled", "pay": "succeeded"}


async def test_rule_61_a_drained_worker_stops_at_the_next_step_border_and_another_goes_on():
    ledger, stop, log = MemoryLedger(), Stop(), Log()
    made = flow(NodeUse("a", "ask", settings={"after": 0.05}), NodeUse("b", "say"), wires="a.text>b.value")
    asyncio.get_running_loop().call_later(0.01, stop.pause.set)
    outcome = await durable(made, ledger, log, stop=stop)
    assert outcome.status == "queued" and statuses(ledger) == {"a": "succeeded"}
    assert (await durable(made, ledger, log)).status == "succeeded"
    assert log.calls == ["a", "b"]


async def test_rule_62_a_run_that_passes_its_deadline_fails():
    ledger = MemoryLedger()
    made = flow(NodeUse("long", "say", settings={"after": 5}))
    outcome = await durable(made, ledger, facts={"deadline": time.time() + 0.03})
    assert outcome.status == "failed" and "time limit" in outcome.fault.message
    record = await express(made, facts=RunFacts("r", deadline=time.time() + 0.03))
    assert record.status == "failed" and "time limit" in record.fault.message


@pytest.mark.parametrize(("kind", "status"), [("pay", "in_doubt"), ("ask", "succeeded"), ("say", "succeeded")])
async def test_rule_63_after_a_crash_in_a_step_its_effect_class_decides(kind, status):
    """The worker vanishes while the step runs: the row says started, nobody knows the outcome."""
    ledger, log = MemoryLedger(), Log()
    made = flow(NodeUse("a", kind, settings={"after": 0.02}))
    running = asyncio.create_task(durable(made, ledger, log))
    await asyncio.sleep(0.01)
    lost = ledger.claim("r")  # the sweeper found the worker dead; what it writes now is refused
    with pytest.raises(Exception, match="not ours any more"):
        await running
    assert lost.epoch == 2
    outcome = await durable(made, ledger, log)
    assert outcome.status == status
    assert log.count("a") == (1 if kind == "pay" else 2)


async def test_rule_64_the_idempotency_key_is_the_same_for_every_attempt_and_different_for_every_step():
    ledger, log = MemoryLedger(), Log()
    made = flow(NodeUse("a", "pay"), NodeUse("b", "pay"))
    outputs = (await durable(made, ledger, log)).outputs
    again = (await durable(made, MemoryLedger(), Log())).outputs
    assert outputs["a"].text != outputs["b"].text and outputs["a"] == again["a"]


async def test_rule_65_a_sub_flow_is_part_of_the_run_and_waits_and_resumes_with_it():
    ledger, log = MemoryLedger(), Log()
    inner = flow(
        NodeUse("ask", "people.approval", settings={"title": "Pay {{ input.sum }}?"}),
        NodeUse("paid", "pay"),
        NodeUse("out", "show.answer", settings={"text": "paid {{ input.sum }}"}),
        wires="ask.approved>paid.value paid.text>out.data",
    )

    async def flow_of(facts: RunFacts, version: str) -> Any:
        assert version == "v7"
        return plan_of(inner, log)

    outer = flow(
        NodeUse("sum", "list", settings={"items": [12]}),
        NodeUse("sub", "logic.flow", settings={"flow": "v7", "fields": ["sum"]}),
        NodeUse("end", "show.answer"),
        wires="sum.items>sub.sum sub.text>end.text",
    )
    assert (await durable(outer, ledger, log, engine={"flow_of": flow_of})).status == "waiting"
    asked = next(row for row in ledger.runs["r"].steps if row.node == "sub/ask")
    assert asked.wait is not None and asked.wait.title == "Pay [12]?"
    ledger.signal("r", Signal("approval", {"choice": "approve"}))
    outcome = await durable(outer, ledger, log, engine={"flow_of": flow_of})
    assert outcome.status == "succeeded" and '"text":"paid [12]"' in (outcome.output or "")
    assert log.calls == ["sub/paid"]


async def test_rule_65_a_sub_flow_that_could_run_express_runs_with_its_caller_at_once():
    inner = flow(
        NodeUse("x", "say", settings={"text": "in {{ input.n }}"}),
        NodeUse("out", "show.answer"),
        wires="x.text>out.text",
    )
    slow = flow(NodeUse("ask", "people.approval"))
    outer = flow(
        NodeUse("n", "number", settings={"value": 3}),
        NodeUse("sub", "logic.flow", settings={"flow": "v1", "fields": ["n"]}),
        wires="n.value>sub.n",
    )
    plan = plan_of(outer)
    assert plan.quick and not plan.express and plan.calls == ("v1",)

    async def flow_of(facts: RunFacts, version: str) -> Any:
        return plan_of(inner)

    async def slow_flow(facts: RunFacts, version: str) -> Any:
        return plan_of(slow)

    record = await express(outer, flow_of=flow_of)
    assert output_of(record, "sub").text == "in 3" and status_of(record)["sub/x"] == "succeeded"
    assert "may not run at once" in (await express(outer, flow_of=slow_flow)).fault.message


async def test_rule_66_flows_that_call_each_other_without_end_are_stopped():
    made = flow(NodeUse("again", "logic.flow", settings={"flow": "v1"}))

    async def flow_of(facts: RunFacts, version: str) -> Any:
        return plan_of(made)

    outcome = await durable(made, MemoryLedger(), engine={"flow_of": flow_of, "limits": Limits(depth=3)})
    assert outcome.status == "failed" and "more than 3 deep" in outcome.fault.message


async def test_rule_67_limits_on_steps_and_bytes_are_kept():
    many_rounds = each(NodeUse("x", "say", parent="each"), items=list(range(50)), wires="each.item>x.value")
    record = await express(many_rounds, limits=Limits(steps=20))
    assert record.status == "failed" and "more than 20 steps" in record.fault.message
    big = flow(NodeUse("a", "say", settings={"text": "x" * 5_000}))
    assert (
        "at most" in (await durable(big, MemoryLedger(), engine={"limits": Limits(output_bytes=1_000)})).fault.message
    )
    assert "at most" in (await express(big, limits=Limits(record_bytes=1_000))).fault.message


async def test_rule_68_a_change_of_our_own_database_happens_with_its_record_or_not_at_all():
    @node("keep", version=1, title="Keep", effect="db")
    async def keep(settings: Nothing, inputs: Nothing, ctx: Context) -> Text:
        ctx.with_outcome(partial(change, ctx.attempt))
        if ctx.attempt == 1:
            raise NodeError("busy", retry=True)
        return Text("kept")

    changed: list[int] = []

    async def change(attempt: int, ledger: MemoryLedger) -> None:
        changed.append(attempt)

    kinds = {**nodes(Log()), "keep": keep}
    plan = compile(flow(NodeUse("a", "keep", retry=Retry(2, 0))), kinds)
    assert isinstance(plan, Plan) and not plan.express
    ledger = MemoryLedger()
    ledger.open("r", None)
    old, new = ledger.claim("r"), ledger.claim("r")
    with pytest.raises(LostRun):
        await Engine(kinds, ledger).advance(old, plan)
    assert changed == []
    assert (await Engine(kinds, ledger).advance(new, plan)).status == "succeeded" and changed == [2]


# 70-72 what others see


async def test_rule_70_events_tell_everything_in_order_and_answer_marks_the_tokens_of_the_answer():
    seen: list[dict[str, Any]] = []
    made = flow(NodeUse("ask", "ask"), NodeUse("side", "ask"), NodeUse("end", "show.answer"), wires="ask.text>end.text")
    await express(made, listen=seen.append)
    assert seen[0]["type"] == "run.started" and seen[-1]["type"] == "run.succeeded"
    mine = [event for event in seen if event.get("node") == "ask"]
    assert [event["type"] for event in mine] == ["step.started", "step.token", "step.token", "step.succeeded"]
    assert "".join(event["text"] for event in mine if event["type"] == "step.token") == "Hello"
    assert {event["answer"] for event in seen if event["type"] == "step.token" and event["node"] == "ask"} == {True}
    assert {event["answer"] for event in seen if event["type"] == "step.token" and event["node"] == "side"} == {False}


async def test_rule_71_usage_is_summed_over_all_steps_in_both_lanes():
    made = flow(NodeUse("a", "ask"), NodeUse("b", "ask"))
    record = await express(made)
    assert record.usage is not None and (record.usage.prompt_tokens, record.usage.cost_micros) == (20, 60)
    outcome = await durable(made, MemoryLedger())
    assert outcome.usage == record.usage


async def test_rule_30_values_change_on_wires_as_documented():
    made = flow(
        NodeUse("a", "say", settings={"text": "abc"}),
        NodeUse("s", "speak"),
        NodeUse("number", "speak"),
        NodeUse("yes", "speak"),
        NodeUse("message", "speak"),
        NodeUse("json", "pass"),
        wires="a.text>s.text s.length>number.text s.long>yes.text s.message>message.text s.message>json.value",
    )
    record = await express(made)
    texts = {node: output_of(record, node).message for node in ("number", "yes", "message")}
    assert texts == {"number": Message("3"), "yes": Message("yes"), "message": Message("abc")}
    assert output_of(record, "json").value == {"text": "abc"}


async def test_rule_31_a_value_that_does_not_fit_is_named_with_both_ends():
    made = flow(
        NodeUse("l", "list", settings={"items": [1, 2]}), NodeUse("p", "pass"), NodeUse("s", "speak", label="Say it"),
        wires="l.items>p.value p.value>s.text",
    )  # fmt: skip
    record = await express(made)
    assert (
        record.fault.message
        == "'text' of step 'Say it' gets a list of 2, but needs text. It comes from 'value' of step 'p'."
    )
    assert record.fault.node == "s" and record.fault.field == "text"
