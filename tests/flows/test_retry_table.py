"""Every cell of the table "Retry, on-error and time limit" of docs/flow-semantics.md; rules 26 and 27."""

import asyncio
from itertools import product
from typing import Any

import pytest
from msgspec import Struct

from flows.compile import compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.limits import Limits
from flows.model import Edge, Flow, NodeUse, Retry
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, node
from flows.sdk.context import RunFacts
from tests.flows.nodes import Log, durable, express, flow, nodes

EFFECTS = ("pure", "db", "idempotent", "repeatable_costed", "probe", "at_most_once")
HOWS = ("passing", "final", "late", "unhandled")
calls: list[int] = []


class How(Struct, frozen=True):
    how: str = "passing"
    times: int = 99


class Nothing(Struct, frozen=True): ...


class Text(Struct, frozen=True):
    text: str


def acting(effect: Any) -> Any:
    @node(f"t.{effect}", version=1, title="Act", effect=effect)
    async def act(settings: How, inputs: Nothing, ctx: Context) -> Text:
        calls.append(1)
        if len(calls) <= settings.times:
            if settings.how == "late":
                await asyncio.sleep(30)
            if settings.how == "unhandled":
                raise ValueError("as asked")
            raise NodeError("as asked", retry=settings.how == "passing")
        return Text("good")

    return act


KINDS = {f"t.{effect}": acting(effect) for effect in EFFECTS}


def expected(effect: str, how: str, times: int, tries: int, on_error: str) -> tuple[int, str, str]:
    """(tries made, status of the run, what arrives behind the step)."""
    once = effect in ("probe", "at_most_once")
    again = how == "passing" or (how in ("late", "unhandled") and not once)
    made = min(times + 1, tries) if again else 1
    if made > times:
        return made, "succeeded", "good"
    if on_error == "stop":
        return made, "in_doubt" if once and how in ("late", "unhandled") else "failed", "nothing"
    return made, "succeeded", {"default": "spare", "wire": "as the error", "continue": "nothing"}[on_error]


@pytest.mark.parametrize(("effect", "how"), list(product(EFFECTS, HOWS)))
async def test_every_cell(effect, how):
    for times, tries, on_error in product((1, 99), (1, 3), ("stop", "default", "wire", "continue")):
        use = NodeUse(
            "a", f"t.{effect}", settings={"how": how, "times": times}, retry=Retry(tries, 0.0), on_error=on_error,
            default={"text": "spare"}, timeout=0.005 if how == "late" else None,
        )  # fmt: skip
        made = Flow([use, NodeUse("text", "gather"), NodeUse("error", "gather")], [Edge("a.text", "text.things")])
        if on_error == "wire":
            made.edges.append(Edge("a.error", "error.things"))
        else:
            made.nodes.pop()
        catalogue = {**nodes(Log()), **KINDS}
        plan = compile(made, catalogue)
        assert isinstance(plan, Plan)
        cell = (effect, how, times, tries, on_error)
        for lane in ("express", "durable") if plan.express else ("durable",):
            calls.clear()
            if lane == "express":
                record = await run_express(plan, {}, context=RunFacts("r"))
                status, outputs = record.status, {s.node: s.output for s in record.steps if s.status == "succeeded"}
            else:
                ledger = MemoryLedger()
                ledger.open("r")
                outcome = await Engine(catalogue, ledger).advance(ledger.claim("r"), plan)
                status, outputs = outcome.status, outcome.outputs
            came = "nothing"
            if outputs.get("text") is not None:
                came = outputs["text"].value[0]
            elif outputs.get("error") is not None:
                came = "as the error" if outputs["error"].value[0]["step"] == "a" else "?"
            assert (len(calls), status, came) == expected(*cell), (lane, *cell)


@pytest.mark.parametrize("lane", [express, durable])
async def test_rule_26_a_run_repeats_only_so_many_tries(lane):
    log = Log()
    uses = [
        NodeUse(f"a{i}", "say", settings={"fail_times": 9}, retry=Retry(5, 0.0), on_error="continue") for i in range(4)
    ]
    options: dict[str, Any] = {"limits": Limits(retries=6)}
    if lane is durable:
        ledger = MemoryLedger()
        await durable(flow(*uses), ledger, log, engine=options)
        faults = [row.fault.message for row in ledger.runs["r"].steps if row.fault is not None]
    else:
        faults = [s.fault.message for s in (await express(flow(*uses), log, **options)).steps if s.fault is not None]
    assert len(log.calls) == 4 + 6
    assert any("It is not tried again: 6 tries of this run were repeats already." in fault for fault in faults)


async def test_rule_27_a_run_that_costs_too_much_is_stopped_and_says_both_sums():
    log = Log()
    uses = [NodeUse(f"a{i}", "ask") for i in range(5)]
    chain = flow(*uses, wires=" ".join(f"a{i}.text>a{i + 1}.value" for i in range(4)))
    record = await express(chain, log, limits=Limits(cost_micros=50))
    assert record.status == "failed" and record.fault.kind == "Cost" and record.fault.node == "a1"
    assert "has cost $0.0001, and at most $0.0001 are allowed" in record.fault.message and log.calls == ["a0", "a1"]
    ledger, log = MemoryLedger(), Log()
    outcome = await durable(chain, ledger, log, engine={"limits": Limits(cost_micros=50)})
    assert outcome.status == "failed" and outcome.fault.kind == "Cost" and log.calls == ["a0", "a1"]
