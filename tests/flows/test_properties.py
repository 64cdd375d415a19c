"""Random graphs, random skips, failures and crashes: the engine does what the reference interpreter says.

Size: AGENTBASE_GRAPHS graphs (300; the nightly run takes 10,000).
"""

import asyncio
import os
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from components.logic.join import join
from flows.compile import compile
from flows.express import run_express
from flows.ledger import Claim, MemoryLedger, RunChange, StepChange
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, many, node
from flows.sdk.context import RunFacts
from tests.flows.reference import Expected, interpret, outputs_of

GRAPHS = int(os.environ.get("AGENTBASE_GRAPHS", "300"))
calls: dict[str, int] = {}


class Settings(Struct, frozen=True):
    way: bool = True
    fails: bool = False
    breaths: int = 0


class Inputs(Struct, frozen=True):
    m: Annotated[list[str], many()] = []
    x: str = "-"
    y: str = "-"


class Needs(Struct, frozen=True):
    x: str
    m: Annotated[list[str], many()] = []
    y: str = "-"


class Outputs(Struct, frozen=True):
    text: str
    yes: str | UnsetType = UNSET
    no: str | UnsetType = UNSET


async def act(settings: Settings, inputs: Any, ctx: Context) -> Outputs:
    calls[ctx.step_key] = calls.get(ctx.step_key, 0) + 1
    for _ in range(settings.breaths):
        await asyncio.sleep(0)
    if settings.fails:
        raise NodeError("as asked")
    given = {"way": settings.way}
    return Outputs(**outputs_of(ctx.node_id, given, inputs.x, inputs.y, inputs.m))


@node("t.quick", version=1, title="Quick", effect="pure")
async def quick(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    calls[ctx.step_key] = calls.get(ctx.step_key, 0) + 1
    if settings.fails:
        raise NodeError("as asked")
    return Outputs(**outputs_of(ctx.node_id, {"way": settings.way}, inputs.x, inputs.y, inputs.m))


@node("t.free", version=1, title="Free", effect="pure")
async def free(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    return await act(settings, inputs, ctx)


@node("t.needs", version=1, title="Needs", effect="idempotent")
async def needs(settings: Settings, inputs: Needs, ctx: Context) -> Outputs:
    return await act(settings, inputs, ctx)


CATALOGUE = {kind.name: kind for kind in (quick, free, needs, join)}


@st.composite
def flows(draw: st.DrawFn, stops: bool = True) -> Flow:
    """A graph of 1-12 nodes whose wires only lead forward."""
    count = draw(st.integers(1, 12))
    policies = ["default", "wire", "continue"] + (["stop"] if stops else [])
    nodes: list[NodeUse] = []
    edges: list[Edge] = []
    for i in range(count):
        wires: set[tuple[str, str]] = set()
        if i:
            for _ in range(draw(st.integers(0, 4))):
                source = draw(st.integers(0, i - 1))
                outs = ["text", "yes", "no"] + (["error"] if nodes[source].on_error == "wire" else [])
                into = draw(st.sampled_from(["x", "y", "m", "m", "after"]))
                if into in ("m", "after") or not any(port == into for _, port in wires):
                    out = draw(st.sampled_from(outs))
                    if out == "error" and into != "after":
                        into = "after"
                    wires.add((f"n{source}.{out}", into))
        fails = draw(st.integers(0, 5)) == 0
        chosen = {"way": draw(st.booleans()), "fails": fails, "breaths": draw(st.integers(0, 2))}
        kind = draw(st.sampled_from(["t.quick", "t.free", *(["t.needs"] if any(p == "x" for _, p in wires) else [])]))
        nodes.append(
            NodeUse(
                f"n{i}",
                kind,
                settings=chosen,
                on_error=draw(st.sampled_from(policies)),
                default={"text": "default"},
                disabled=draw(st.integers(0, 9)) == 0,
            )
        )
        edges += [Edge(source, f"n{i}.{into}") for source, into in sorted(wires)]
    return Flow(nodes, edges)


def compiled(flow: Flow) -> Plan:
    plan = compile(flow, CATALOGUE)
    assert isinstance(plan, Plan), plan
    return plan


def text_of(out: Any) -> dict[str, str]:
    return {port: getattr(out, port) for port in ("text", "yes", "no") if getattr(out, port, UNSET) is not UNSET}


def wanted(expected: Expected) -> dict[str, dict[str, str]]:
    return {
        id: {port: value for port, value in out.items() if port != "error"}
        for id, out in expected.outputs.items()
        if "text" in out
    }


PATIENCE = pytest.mark.timeout(180 * max(1, GRAPHS // 500))
"""Seconds for one property, on a machine that does other things as well."""
pytestmark = PATIENCE
SIZE = settings(max_examples=GRAPHS, deadline=None, suppress_health_check=list(HealthCheck))


@SIZE
@given(flows())
def test_the_express_lane_does_what_the_reference_says(flow: Flow):
    calls.clear()
    expected = interpret(flow)
    record = asyncio.run(run_express(compiled(flow), {}, context=RunFacts("r")))
    got = {step.node: step for step in record.steps}
    assert (record.status == "failed") == expected.stops
    assert all(count == 1 for count in calls.values())
    if expected.stops:
        for id, step in got.items():
            assert step.status == expected.status[id]
    else:
        assert {id: step.status for id, step in got.items()} == expected.status
        assert {id: text_of(s.output) for id, s in got.items() if text_of(s.output)} == wanted(expected)


class Flaky(MemoryLedger):
    """Dies at the writes it is told to, before or after they took effect."""

    def __init__(self, deaths: list[tuple[int, bool]]) -> None:
        super().__init__()
        self.deaths = dict(deaths)
        self.count = 0

    async def write(self, claim: Claim, steps=(), run: RunChange | None = None, events=(), used=()) -> None:  # type: ignore[no-untyped-def]
        self.count += 1
        late = self.deaths.pop(self.count, None)
        if late is False:
            raise OSError("the database is away")
        await super().write(claim, steps, run, events, used)
        if late is True:
            raise OSError("the answer was lost")


@SIZE
@given(flows(stops=False), st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=4))
def test_crashes_anywhere_change_nothing_but_the_number_of_attempts(flow: Flow, deaths: list[tuple[int, bool]]):
    calls.clear()
    expected = interpret(flow)
    ledger = Flaky(deaths)
    ledger.open("r")
    plan = compiled(flow)

    async def until_done() -> Any:
        while True:
            settled = {row.node for row in ledger.runs["r"].steps if row.status == "succeeded"}
            before = {key: n for key, n in calls.items() if key.removeprefix("r:") in settled}
            try:
                outcome = await Engine(CATALOGUE, ledger).advance(ledger.claim("r"), plan)
            except OSError:
                continue
            finally:
                assert {key: calls[key] for key in before} == before, "a finished step was run again"
            return outcome

    outcome = asyncio.run(until_done())
    assert outcome.status == "succeeded"
    assert {row.node: row.status for row in ledger.runs["r"].steps} == expected.status
    assert {id: text_of(out) for id, out in outcome.outputs.items()} == wanted(expected)
    if not deaths:
        assert all(count == 1 for count in calls.values())


@SIZE
@given(flows())
def test_a_failed_run_taken_up_again_repeats_only_what_did_not_finish(flow: Flow):
    calls.clear()
    ledger = MemoryLedger()
    ledger.open("r")
    plan = compiled(flow)
    first = asyncio.run(Engine(CATALOGUE, ledger).advance(ledger.claim("r"), plan))
    done = {row.node for row in ledger.runs["r"].steps if row.status == "succeeded"}
    again = asyncio.run(Engine(CATALOGUE, ledger).advance(ledger.claim("r"), plan))
    assert again.status == first.status == ("failed" if interpret(flow).stops else "succeeded")
    assert all(calls[f"r:{id}"] == 1 for id in done)


@st.composite
def with_joins(draw: st.DrawFn) -> Flow:
    """The same with joins of every policy in between."""
    flow = draw(flows(stops=False))
    wide = [f"n{i}.{draw(st.sampled_from(['text', 'yes', 'no']))}" for i in range(len(flow.nodes))]
    for j in range(draw(st.integers(1, 3))):
        policy = {
            "policy": draw(st.sampled_from(["all", "any", "first", "n", "settled"])),
            "n": draw(st.integers(1, 4)),
        }
        sources = draw(st.lists(st.sampled_from(wide), min_size=1, max_size=5, unique=True))
        flow.nodes += [NodeUse(f"j{j}", "logic.join", settings=policy), NodeUse(f"after{j}", "t.free")]
        flow.edges += [*(Edge(source, f"j{j}.values_in") for source in sources)]
        first = policy["policy"] != "settled"
        flow.edges.append(Edge(f"j{j}.{'first' if first else 'items'}", f"after{j}.{'x' if first else 'after'}"))
        wide.append(f"after{j}.text")
    return flow


@SIZE
@given(with_joins(), st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=3))
def test_joins_go_on_once_or_are_skipped_and_never_hang(flow: Flow, deaths: list[tuple[int, bool]]):
    """What they bring depends on who is first; but every step ends, none runs twice without a crash, and what a join
    needs has come.
    """
    calls.clear()
    ledger = Flaky(deaths)
    ledger.open("r")
    plan = compiled(flow)
    joins = {use.id: use.settings for use in flow.nodes if use.type == "logic.join"}

    async def until_done() -> Any:
        while True:
            try:
                async with asyncio.timeout(5):
                    return await Engine(CATALOGUE, ledger).advance(ledger.claim("r"), plan)
            except OSError:
                continue

    outcome = asyncio.run(until_done())
    assert outcome.status == "succeeded"
    rows = {row.node: row.status for row in ledger.runs["r"].steps}
    assert rows.keys() == {use.id for use in flow.nodes}
    if not deaths:
        assert all(count == 1 for count in calls.values())
    for id, policy in joins.items():
        if rows[id] == "succeeded" and id not in outcome.outputs:
            assert deaths and any(policy["policy"] == "first" for policy in joins.values()), "called off since"
        elif rows[id] == "succeeded":
            needed = {"n": policy["n"], "settled": 0}.get(policy["policy"], 1)
            if policy["policy"] == "settled":
                sources = [edge.source.partition(".")[0] for edge in flow.edges if edge.target == f"{id}.values_in"]
                assert [ended.step for ended in outcome.outputs[id].ended] == sources
                for ended in outcome.outputs[id].ended:
                    assert ended.status in ("done", "skipped", "failed")
                    allowed = {"done": ("succeeded", "failed"), "failed": ("failed",)}
                    assert rows[ended.step] in allowed.get(ended.status, rows.values())
            assert len(outcome.outputs[id].items) >= needed
            called_off = any(policy["policy"] == "first" for policy in joins.values())
            assert rows[f"after{id[1:]}"] == "succeeded" or called_off
        else:
            assert rows[id] == rows[f"after{id[1:]}"] == "skipped"


def test_the_rows_of_a_change_are_what_the_reference_calls_them():
    """So that the comparison above can't pass by comparing nothing."""
    assert StepChange("a", "", "skipped").status == "skipped"
    flow = Flow([NodeUse("n0", "t.quick", settings={"way": False}), NodeUse("n1", "t.quick")], [Edge("n0.yes", "n1.x")])
    assert interpret(flow).status == {"n0": "succeeded", "n1": "skipped"}
