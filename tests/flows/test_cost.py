"""Rules 27 and 71: what a run costs is counted once, failed tries too, and stops it where the flow says so."""

from typing import Any

import pytest

from flows.compile import check, compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.limits import Limits
from flows.model import Edge, Flow, NodeUse, Retry
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, Usage, node
from flows.sdk.context import RunFacts, Signal
from tests.flows.nodes import Log, Nothing, Say, Text, nodes

ONE = Usage(10, 2, 30)


@node("dear", version=1, title="Dear", effect="repeatable_costed")
async def dear(settings: Say, inputs: Nothing, ctx: Context) -> Text:
    ctx.record(ONE)
    if ctx.attempt <= settings.fail_times:
        raise NodeError("not yet", retry=True)
    return Text("done")


KINDS = {**nodes(Log()), "dear": dear}


def plan_of(flow: Flow) -> Plan:
    plan = compile(flow, KINDS)
    assert isinstance(plan, Plan), str(plan)
    return plan


def trying(tries: int, cost_limit: float | None = None) -> Flow:
    use = NodeUse("a", "dear", settings={"fail_times": tries - 1}, retry=Retry(tries, 0))
    return Flow([use], cost_limit=cost_limit)


async def ended(flow: Flow, lane: str, limits: Limits | None = None) -> Any:
    """Status, fault, usage of one run."""
    if lane == "express":
        return await run_express(plan_of(flow), {}, context=RunFacts("r"), limits=limits)
    ledger = MemoryLedger()
    ledger.open("r")
    return await Engine(KINDS, ledger, limits=limits).advance(ledger.claim("r"), plan_of(flow))


@pytest.mark.parametrize("lane", ["express", "durable"])
async def test_rule_71_tries_that_failed_are_counted(lane):
    made = await ended(trying(3), lane)
    assert made.status == "succeeded" and made.usage == Usage(30, 6, 90)


@pytest.mark.parametrize("lane", ["express", "durable"])
async def test_rule_71_a_step_that_failed_for_good_is_counted(lane):
    made = await ended(Flow([NodeUse("a", "dear", settings={"fail_times": 9})]), lane)
    assert made.status == "failed" and made.usage == ONE


@pytest.mark.parametrize("lane", ["express", "durable"])
async def test_rule_27_the_limit_of_the_flow_counts_failed_tries_and_names_both_sums(lane):
    made = await ended(trying(5, cost_limit=0.00005), lane)
    assert made.status == "failed" and made.fault.kind == "Cost" and made.fault.node == "a"
    assert "has cost $0.0001, and at most $0.0001 are allowed" in made.fault.message
    assert made.usage is not None and made.usage.cost_micros == 60


async def test_rule_27_the_smaller_of_both_limits_counts():
    assert (await ended(trying(2, cost_limit=1), "express", Limits(cost_micros=40))).status == "failed"
    assert (await ended(trying(2, cost_limit=0.00004), "express", Limits(cost_micros=1_000))).status == "failed"
    assert (await ended(trying(2, cost_limit=1), "express", Limits(cost_micros=1_000))).status == "succeeded"


def test_rule_27_a_limit_of_nothing_is_a_problem():
    assert any("more than nothing" in problem.message for problem in check(Flow(cost_limit=0), KINDS))


def with_a_pause(cost_limit: float | None = None) -> Flow:
    return Flow(
        [
            NodeUse("a", "dear", settings={"fail_times": 1}, retry=Retry(2, 0)),
            NodeUse("ask", "people.approval"),
            NodeUse("b", "dear"),
        ],
        [Edge("a.text", "ask.value"), Edge("ask.approved", "b.after")],
        cost_limit=cost_limit,
    )


async def after_the_pause(flow: Flow) -> Any:
    ledger = MemoryLedger()
    ledger.open("r")
    engine, plan = Engine(KINDS, ledger), plan_of(flow)
    first = await engine.advance(ledger.claim("r"), plan)
    assert first.status == "waiting" and first.usage == Usage(20, 4, 60)
    ledger.signal("r", Signal("approval", {"choice": "approve"}))
    return await engine.advance(ledger.claim("r"), plan)


async def test_rule_71_a_run_that_slept_counts_what_it_used_before_once():
    made = await after_the_pause(with_a_pause())
    assert made.status == "succeeded" and made.usage == Usage(30, 6, 90)


async def test_rule_27_what_was_spent_before_a_pause_counts():
    made = await after_the_pause(with_a_pause(cost_limit=0.00007))
    assert made.status == "failed" and made.fault.kind == "Cost" and made.fault.node == "b"
