"""The shortest way through a plan: what its steps are given, and what is written down about them."""

import pytest
from msgspec import Struct

from flows.compile import compile
from flows.express import run_express
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.sdk import Context, node
from flows.sdk.context import RunFacts


class Number(Struct, frozen=True):
    value: int = 0


class Settings(Struct, frozen=True):
    keep: bool = False


kept: list[Context] = []
seen: list[tuple[str, str]] = []


@node("count", version=1, title="Count", effect="pure")
async def count(settings: Settings, inputs: Number, ctx: Context) -> Number:
    if settings.keep:
        kept.append(ctx)
    seen.append((ctx.node_id, ctx.step_key))
    ctx.log(f"at {ctx.node_id}")
    return Number(inputs.value + 1)


def a_row(*keeping: bool) -> Plan:
    uses = [NodeUse(f"s{i}", "count", settings={"keep": keep}) for i, keep in enumerate(keeping)]
    edges = [Edge(f"s{i}.value", f"s{i + 1}.value") for i in range(len(keeping) - 1)]
    plan = compile(Flow(uses, edges), {count.name: count})
    assert isinstance(plan, Plan) and len(plan.straight) == len(keeping), str(plan)
    return plan


@pytest.mark.parametrize("keeping", [(False,) * 4, (True,) * 4, (False, True, False, True)])
async def test_each_step_is_itself_also_for_a_node_that_keeps_its_context(keeping):
    kept.clear()
    seen.clear()
    record = await run_express(a_row(*keeping), {}, context=RunFacts("r"))
    assert seen == [(f"s{i}", f"r:s{i}") for i in range(4)]
    assert [ctx.node_id for ctx in kept] == [f"s{i}" for i, keep in enumerate(keeping) if keep]
    assert [(step.node, [line.text for line in step.logs]) for step in record.steps] == [
        (f"s{i}", [f"at s{i}"]) for i in range(4)
    ]


async def test_times_are_whole_microseconds_one_step_after_the_other():
    record = await run_express(a_row(*(False,) * 20), {}, context=RunFacts("r"))
    at = record.steps[0].began
    assert at >= 0
    for step in record.steps:
        assert abs(step.began - at) < 0.0005 and step.ms >= 0, "a step begins where the one before it ended"
        assert step.began == round(step.began, 3) and step.ms == round(step.ms, 3)
        at = step.began + step.ms
    assert at <= record.ms + 0.001
