"""Rules 120 to 124 of docs/flow-semantics.md: variables of the workspace."""

import pytest

from flows.catalogue import load
from flows.compile import compile, variables_of
from flows.express import run_express
from flows.model import Edge, Flow, NodeUse
from flows.sdk.context import RunFacts
from flows.sdk.holes import names_in, vars_in

KINDS = load()


def reading(text: str, *more: NodeUse) -> Flow:
    return Flow([NodeUse("say", "ai.prompt", settings={"template": text}), *more])


async def says(flow: Flow, vars: object = None) -> str:
    plan = compile(flow, KINDS)
    facts = RunFacts("r", vars=vars)  # type: ignore[arg-type]
    record = await run_express(plan, {}, context=facts)  # type: ignore[arg-type]
    if record.fault is not None:
        return record.fault.message
    return next(step.output for step in record.steps if step.node == "say").text


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("vars.shop", ("shop",)),
        ("vars.shop.name + vars . limit", ("shop", "limit")),
        ("vars[\"shop\"] + vars['x']", ("shop", "x")),
        ("has(vars.shop) ? vars.shop : 'none'", ("",)),
        ("size(vars)", ("",)),
        ("'vars.shop'", ()),
        ("input.vars.shop + myvars.a", ()),
    ],
)
def test_rule_120_what_an_expression_reads_is_known_before_it_runs(source, read):
    assert vars_in(source) == read
    assert "vars" not in names_in(source), "it is no port"


async def test_rule_120_every_template_and_expression_reads_them():
    flow = reading("{{ vars.shop }} has {{ vars.limit + 1 }} left")
    assert await says(flow, {"shop": "Fernhill", "limit": 4}) == "Fernhill has 5 left"
    inner = [
        NodeUse("all", "data.set", settings={"fields": [{"name": "n", "text": "{{ vars.limit }}"}]}),
        NodeUse("each", "logic.loop", settings={"condition": "index < vars.limit", "limit": 9}),
        NodeUse("in", "data.set", parent="each", settings={"fields": [{"name": "n", "text": "{{ vars.shop }}"}]}),
    ]
    plan = compile(Flow(inner, [Edge("in.object", "each.next")]), KINDS)
    assert set(plan.vars) == {"limit", "shop"}
    record = await run_express(plan, {}, context=RunFacts("r", vars={"shop": "F", "limit": 3}))
    assert record.status == "succeeded"
    assert sum(step.node == "in" for step in record.steps) == 3


async def test_rule_121_one_that_is_missing_fails_the_step_and_is_named():
    flow = reading("{{ vars.shop }}")
    assert "there is no variable 'shop' here. Known are: limit" in await says(flow, {"limit": 4})
    assert "this workspace has no variables here" in await says(flow)
    assert "no such" not in await says(reading("{{ has(vars.shop) ? vars.shop : 'none' }}"), {"limit": 4})
    assert await says(reading("{{ has(vars.shop) ? vars.shop : 'none' }}"), {"limit": 4}) == "none"


def test_rule_121_the_steps_that_read_one_are_known():
    flow = reading("{{ vars.shop }}", NodeUse("other", "ai.prompt", settings={"template": "{{ has(vars.a) }}"}))
    assert variables_of(flow, KINDS) == {"say": ("shop",)}
