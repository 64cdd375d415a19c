"""Undo branches: rules 80 to 86."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.compile import check
from flows.ledger import Claim, MemoryLedger, RunChange
from flows.model import NodeUse, Retry
from flows.run import Engine
from flows.sdk import Signal
from tests.flows.nodes import Log, durable, flow, nodes, plan_of, statuses
from tests.flows.test_properties import SIZE


class Stop:
    def __init__(self) -> None:
        self.cancel, self.pause = asyncio.Event(), asyncio.Event()


def booked(*names: str, fails: bool = True, refund: dict[str, Any] | None = None, end: str = "say") -> Any:
    """Steps one after the other, each with an undo branch; the last step fails."""
    uses, wires, last = [], [], ""
    for name in names:
        uses += [
            NodeUse(name, "pay", settings={"text": name}),
            NodeUse(f"u_{name}", "logic.undo"),
            NodeUse(f"no_{name}", "pay", settings=refund or {}),
        ]
        wires += [f"{name}.text>u_{name}.value", f"u_{name}.value>no_{name}.value"]
        wires += [f"{last}.text>{name}.value"] if last else []
        last = name
    uses.append(NodeUse("last", end, settings={"fail_times": 99 if fails else 0}))
    return flow(*uses, wires=" ".join([*wires, f"{last}.text>last.value"]))


async def test_rule_80_when_all_goes_well_an_undo_branch_does_not_run():
    log, ledger = Log(), MemoryLedger()
    outcome = await durable(booked("a", "b", fails=False), ledger, log)
    assert outcome.status == "succeeded" and log.calls == ["a", "b", "last"]
    assert not plan_of(booked("a")).express


async def test_rule_81_after_a_failure_the_branches_run_in_reverse_order_and_the_run_fails_as_it_would_have():
    log, ledger = Log(), MemoryLedger()
    outcome = await durable(booked("a", "b", "c"), ledger, log)
    assert outcome.status == "failed" and outcome.fault.message == "it broke" and outcome.fault.node == "last"
    assert log.calls == ["a", "b", "c", "last", "no_c", "no_b", "no_a"]
    types = [event["type"] for event in ledger.events["r"]]
    assert "run.undoing" in types and types[-1] == "run.failed"
    again = await durable(booked("a", "b", "c"), ledger, log)
    assert again.status == "failed" and len(log.calls) == 7


async def test_rule_82_only_what_was_reached_is_undone_and_the_order_is_that_of_completion():
    log = Log()
    made = flow(
        NodeUse("slow", "pay", settings={"after": 0.03}),
        NodeUse("quick", "pay"),
        NodeUse("if", "choose", settings={"value": False}),
        NodeUse("never", "pay"),
        *(NodeUse(f"u{i}", "logic.undo") for i in range(3)),
        *(NodeUse(f"no{i}", "say") for i in range(3)),
        NodeUse("last", "say", settings={"fail_times": 9}),
        wires="slow.text>u0.value quick.text>u1.value if.yes>never.value never.text>u2.value u0.value>no0.value "
        "u1.value>no1.value u2.value>no2.value slow.text>last.value",
    )
    await durable(made, MemoryLedger(), log)
    assert log.calls == ["slow", "quick", "last", "no0", "no1"]


async def test_rule_82_what_finishes_while_the_run_is_failing_is_undone_too():
    log = Log()
    made = flow(
        NodeUse("pay", "pay", settings={"after": 0.05}),
        NodeUse("u", "logic.undo"),
        NodeUse("back", "say", settings={"text": "{{ value }}"}),
        NodeUse("bad", "say", settings={"fail_times": 9, "after": 0.01}),
        wires="pay.text>u.value u.value>back.value",
    )
    assert (await durable(made, MemoryLedger(), log)).status == "failed"
    assert sorted(log.calls[:2]) == ["bad", "pay"] and log.calls[2:] == ["back"]


async def test_rule_83_cancelling_undoes_too_and_nothing_can_cancel_the_undoing():
    log, ledger, stop = Log(), MemoryLedger(), Stop()
    made = flow(
        NodeUse("a", "pay"),
        NodeUse("u", "logic.undo"),
        NodeUse("back", "pay", settings={"after": 0.05}),
        NodeUse("long", "say", settings={"after": 5}),
        wires="a.text>u.value u.value>back.value",
    )
    asyncio.get_running_loop().call_later(0.02, stop.cancel.set)
    outcome = await durable(made, ledger, log, stop=stop)
    assert outcome.status == "cancelled" and sorted(log.calls[:2]) == ["a", "long"] and log.calls[2:] == ["back"]
    ledger = MemoryLedger()
    ledger.open("r")
    ledger.cancel("r")
    assert (await durable(made, ledger, Log())).status == "cancelled"


async def test_rule_84_a_branch_may_be_long_try_again_and_wait_for_a_person_and_is_taken_up_where_it_stood():
    log, ledger = Log(), MemoryLedger()
    made = flow(
        NodeUse("order", "say"),
        NodeUse("a", "pay"),
        NodeUse("u", "logic.undo"),
        NodeUse("ask", "people.approval"),
        NodeUse("back", "say", settings={"text": "{{ order }}", "fail_times": 1}, retry=Retry(2, 0.001)),
        NodeUse("bad", "say", settings={"fail_times": 9}),
        wires="order.text>a.value a.text>u.value u.value>ask.value ask.approved>back.value order.text>back.order "
        "a.text>bad.value",
    )
    assert (await durable(made, ledger, log)).status == "waiting"
    assert statuses(ledger)["ask"] == "waiting" and statuses(ledger)["u"] == "started"
    ledger.cancel("r")
    ledger.signal("r", Signal("approval", {"choice": "approve"}))
    outcome = await durable(made, ledger, log)
    assert outcome.status == "failed" and log.calls == ["order", "a", "bad", "back", "back"]
    assert statuses(ledger)["back"] == "succeeded" and statuses(ledger)["u"] == "succeeded"


async def test_rule_85_a_branch_that_fails_does_not_keep_the_others_from_running_and_is_named():
    log, ledger = Log(), MemoryLedger()
    made = booked("a", "b")
    made.nodes[5].settings = {"fail_times": 9, "error": "no refund"}
    outcome = await durable(made, ledger, log)
    assert log.calls == ["a", "b", "last", "no_b", "no_a"]
    assert outcome.fault.message == "it broke Undoing failed at step 'no_b': no refund"
    assert statuses(ledger)["u_b"] == "failed" and statuses(ledger)["u_a"] == "succeeded"


async def test_rule_86_in_containers_and_sub_flows_every_round_and_call_is_undone():
    log, ledger = Log(), MemoryLedger()
    inner = flow(
        NodeUse("pay", "pay"),
        NodeUse("u", "logic.undo"),
        NodeUse("back", "say", settings={"text": "{{ input.what }}"}),
        NodeUse("out", "show.answer"),
        wires="pay.text>u.value u.value>back.value pay.text>out.text",
    )

    async def flow_of(facts: Any, version: str) -> Any:
        return plan_of(inner, log)

    made = flow(
        NodeUse("list", "list", settings={"items": ["x", "y"]}),
        NodeUse("each", "logic.each", settings={"at_once": 1}),
        NodeUse("sub", "logic.flow", settings={"flow": "v1", "fields": ["what"]}, parent="each"),
        NodeUse("hold", "pay", parent="each"),
        NodeUse("u", "logic.undo", parent="each"),
        NodeUse("free", "say", parent="each"),
        NodeUse("ask", "people.approval"),
        NodeUse("bad", "say", settings={"fail_times": 9}),
        wires="list.items>each.items each.item>sub.what sub.text>hold.value hold.text>u.value u.value>free.value "
        "each.results>ask.value ask.approved>bad.value",
    )
    assert (await durable(made, ledger, log, engine={"flow_of": flow_of})).status == "waiting"
    ledger.signal("r", Signal("approval", {"choice": "approve"}))
    assert (await durable(made, ledger, log, engine={"flow_of": flow_of})).status == "failed"
    assert log.calls[-4:] == ["free:1", "sub/back:1", "free:0", "sub/back:0"]


def test_the_editor_is_told_what_an_undo_branch_can_not_be():
    shared = flow(
        NodeUse("a", "say"), NodeUse("u", "logic.undo", label="One"), NodeUse("v", "logic.undo", label="Two"),
        NodeUse("x", "say"), wires="a.text>u.value a.text>v.value u.value>x.value v.value>x.after",
    )  # fmt: skip
    assert any("belongs to two undo branches" in p.message for p in check(shared, nodes(Log())))
    ends = flow(
        NodeUse("a", "say"),
        NodeUse("u", "logic.undo"),
        NodeUse("x", "logic.stop"),
        wires="a.text>u.value u.value>x.data",
    )
    assert any("can't stand in the undo branch" in p.message for p in check(ends, nodes(Log())))
    empty = flow(NodeUse("a", "say"), NodeUse("u", "logic.undo"), wires="a.text>u.value")
    assert [p.severity for p in check(empty, nodes(Log()))] == ["warning"]
    assert check(booked("a", "b"), nodes(Log())) == []


class Dying(MemoryLedger):
    """Dies at the writes it is told to, before or after they took effect."""

    def __init__(self, deaths: dict[int, bool]) -> None:
        super().__init__()
        self.deaths, self.count = deaths, 0

    async def write(
        self, claim: Claim, steps: Any = (), run: RunChange | None = None, events: Any = (), used: Any = ()
    ) -> None:
        self.count += 1
        late = self.deaths.pop(self.count, None)
        if late is False:
            raise ConnectionError("the database is away")
        await super().write(claim, steps, run, events, used)
        if late is True:
            raise ConnectionError("the answer was lost")


@settings(parent=SIZE, max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 4), st.dictionaries(st.integers(1, 25), st.booleans(), max_size=4))
def test_a_crash_anywhere_before_or_in_the_middle_of_undoing_undoes_each_exactly_once(
    count: int, deaths: dict[int, bool]
):
    """Steps that may be repeated, so that a crash is no doubt; what was undone is on record and not undone again."""
    log, ledger = Log(), Dying(dict(deaths))
    names = [f"s{i}" for i in range(count)]
    made = booked(*names)
    for use in made.nodes:
        if use.type == "pay":
            use.type = "ask"
    ledger.open("r")
    plan = plan_of(made, log)

    async def until_done() -> Any:
        for _ in range(50):
            try:
                return await Engine(nodes(log), ledger).advance(ledger.claim("r"), plan)
            except ConnectionError:
                continue
        raise AssertionError("no end")

    outcome = asyncio.run(until_done())
    assert outcome.status == "failed" and outcome.fault.message == "it broke"
    rows = statuses(ledger)
    assert all(rows[name] == rows[f"u_{name}"] == rows[f"no_{name}"] == "succeeded" for name in names)
    firsts = list(dict.fromkeys(call for call in log.calls if call.startswith("no_")))
    assert firsts == [f"no_{name}" for name in reversed(names)]
    if not deaths:
        assert len(log.calls) == 2 * count + 1


@pytest.mark.parametrize("fails", [True, False])
async def test_an_undo_step_that_is_switched_off_undoes_nothing(fails):
    log = Log()
    made = booked("a", fails=fails)
    made.nodes[1].disabled = True
    await durable(made, MemoryLedger(), log)
    assert log.calls == ["a", "last"]
