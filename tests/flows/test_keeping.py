"""Rules 90 to 95: results that are kept for equal inputs."""

import asyncio
from typing import Any

import pytest

from flows.compile import check
from flows.keeping import MOST_KEPT_BYTES
from flows.ledger import MemoryLedger
from flows.ledger.keeping import MemoryKeeping
from flows.model import NodeUse, Retry
from flows.sdk.context import RunFacts
from tests.flows.nodes import Log, durable, express, flow, nodes


def asking(text: str = "q", **more: Any) -> Any:
    return flow(
        NodeUse("a", "number", settings={"value": text}),
        NodeUse("b", "ask", keep=more.pop("keep", 60), settings=more),
        wires="a.value>b.value",
    )


def facts(store: MemoryKeeping, workspace: str = "w", run: str = "r", **more: Any) -> RunFacts:
    return RunFacts(run, workspace_id=workspace, keeping=store, **more)


def kept(record: Any) -> list[str]:
    return [step.node for step in record.steps if step.kept is True]


async def test_rule_90_equal_inputs_give_the_kept_result_and_the_step_is_not_called():
    log, store = Log(), MemoryKeeping()
    first = await express(asking(), log, facts=facts(store))
    second = await express(asking(), log, facts=facts(store, run="r2"))
    assert log.calls == ["b"] and (kept(first), kept(second)) == ([], ["b"])
    assert [s.output for s in second.steps] == [s.output for s in first.steps]


async def test_rule_90_the_durable_lane_obeys_the_same_rule():
    log, store = Log(), MemoryKeeping()
    await express(asking(), log, facts=facts(store))
    ledger, heard = MemoryLedger(), []
    outcome = await durable(
        asking(), ledger, log, facts={"workspace_id": "w"}, engine={"keeping": store}, listen=heard.append
    )
    assert outcome.status == "succeeded" and log.calls == ["b"]
    assert [e.get("kept", False) for e in heard if e["type"] == "step.succeeded"] == [False, True]


@pytest.mark.parametrize(
    "other",
    [
        asking("another question"),
        asking(text="q", error="another setting"),
        flow(NodeUse("a", "number", settings={"value": "q"}), NodeUse("b", "say", keep=60), wires="a.value>b.value"),
    ],
    ids=["input", "setting", "type"],
)
async def test_rule_90_anything_else_in_input_setting_or_type_is_another_result(other):
    log, store = Log(), MemoryKeeping()
    await express(asking(), log, facts=facts(store))
    assert kept(await express(other, log, facts=facts(store))) == [] and len(log.calls) == 2


async def test_rule_90_what_one_workspace_keeps_no_other_is_given():
    log, store = Log(), MemoryKeeping()
    await express(asking(), log, facts=facts(store, "one"))
    assert kept(await express(asking(), log, facts=facts(store, "two"))) == [] and len(log.calls) == 2


async def test_rule_91_without_the_setting_nothing_is_kept_and_nobody_is_asked():
    log, store = Log(), MemoryKeeping()
    for _ in range(2):
        await express(asking(keep=None), log, facts=facts(store))
    assert len(log.calls) == 2 and store.asked == 0 and store.rows == {}


async def test_rule_91_after_its_time_a_result_counts_no_more():
    log, store = Log(), MemoryKeeping()
    await express(asking(keep=0.05), log, facts=facts(store))
    await asyncio.sleep(0.06)
    assert kept(await express(asking(keep=0.05), log, facts=facts(store))) == []


async def test_rule_92_a_run_afresh_takes_nothing_kept_and_keeps_what_is_new():
    log, store = Log(), MemoryKeeping()
    await express(asking(), log, facts=facts(store))
    assert kept(await express(asking(), log, facts=facts(store, afresh=True))) == []
    assert kept(await express(asking(), log, facts=facts(store))) == ["b"] and len(log.calls) == 2


async def test_rule_93_a_kept_result_has_no_usage():
    store = MemoryKeeping()
    first = await express(asking(), facts=facts(store))
    second = await express(asking(), facts=facts(store))
    assert first.usage is not None and first.usage.cost_micros == 30 and second.usage is None


async def test_rule_94_failures_are_not_kept_and_the_try_that_succeeds_is():
    log, store = Log(), MemoryKeeping()
    made = flow(NodeUse("b", "ask", keep=60, settings={"fail_times": 1}, retry=Retry(2, 0)))
    await express(made, log, facts=facts(store))
    assert kept(await express(made, log, facts=facts(store))) == ["b"] and len(log.calls) == 2


async def test_rule_94_a_result_that_is_too_large_is_not_kept():
    store = MemoryKeeping()
    await express(
        flow(NodeUse("a", "number", keep=60, settings={"value": "x" * (MOST_KEPT_BYTES + 1)})), facts=facts(store)
    )
    assert store.rows == {}


async def test_rule_94_a_store_that_fails_only_costs_the_work():
    class Broken(MemoryKeeping):
        async def recall(self, workspace_id: str, key: bytes) -> str | None:
            raise ConnectionError("gone")

    record = await express(asking(), facts=facts(Broken()))
    assert record.status == "succeeded" and kept(record) == []


@pytest.mark.parametrize(
    ("use", "word"),
    [
        (NodeUse("x", "pay", keep=60), "acts on something outside"),
        (NodeUse("x", "logic.wait", keep=60, settings={"seconds": 1}), "when things happen"),
        (NodeUse("x", "say", keep=10_000_000), "30 days"),
    ],
)
def test_rule_95_a_step_whose_result_can_not_be_kept_is_a_problem(use, word):
    found = [p for p in check(flow(use), nodes(Log())) if p.field == "keep"]
    assert len(found) == 1 and found[0].severity == "error" and word in found[0].message
