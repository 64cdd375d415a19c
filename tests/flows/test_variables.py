"""Rules 120 to 124 of docs/flow-semantics.md: variables of the workspace."""

import pytest

from components.code.python import Input, Inputs, Settings, python
from flows.catalogue import load
from flows.compile import compile, variables_of
from flows.express import run_express
from flows.host.sandbox import StepSandbox
from flows.ledger.keeping import MemoryKeeping
from flows.model import Edge, Flow, NodeUse
from flows.sdk import NodeError
from flows.sdk.context import RunFacts
from flows.sdk.holes import names_in, vars_in
from flows.sdk.python_vars import vars_in_python
from flows.sdk.testing import context

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
    longer = await says(reading("{{ vars.most + 1 }}"), {"limit": 4})
    assert "there is no variable 'most' here. Known are: limit. Add it under" in longer
    assert "no such" not in await says(reading("{{ has(vars.shop) ? vars.shop : 'none' }}"), {"limit": 4})
    assert await says(reading("{{ has(vars.shop) ? vars.shop : 'none' }}"), {"limit": 4}) == "none"


def test_rule_121_the_steps_that_read_one_are_known():
    flow = reading("{{ vars.shop }}", NodeUse("other", "ai.prompt", settings={"template": "{{ has(vars.a) }}"}))
    assert variables_of(flow, KINDS) == {"say": ("shop",)}


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("return vars['shop'] + vars[\"tax\"] + vars['shop']", ("shop", "tax")),
        ("return f\"{vars['shop']}\"", ("shop",)),
        ("# vars['shop']\nreturn 'vars[1]'", ()),
        ("return vars.get('shop')", ("",)),
        ("return vars['shop'] if 'shop' in vars else vars['tax']", ("tax", "")),
        ("for name in vars:\n    print(name, vars['tax'])", ("tax", "")),
        ("vars = {}\nreturn vars['shop']", ()),
        ("def f(vars):\n    return vars['shop']\nreturn f({})", ()),
        ("return vars(value)", ()),
        ("return (", ()),
        ("return vars[", ("",)),
        ("vars" + ".a" * 20_000, ("",)),
        ("+" * 40_000 + "vars", ("",)),
    ],
)
def test_rule_126_what_code_reads_is_known_before_it_runs(code, read):
    assert vars_in_python(code) == read


def coded(code: str, **vars: object) -> object:
    facts = RunFacts("r", vars=vars or None)  # type: ignore[arg-type]
    ctx = context(sandbox=lambda ctx: StepSandbox(ctx, lambda: False))
    ctx.run.vars = facts.vars
    return python.run(Settings(code=code, inputs=(Input("price", "number"),)), Inputs({"price": 10}), ctx)


async def test_rule_126_code_gets_those_it_names_and_no_others():
    assert (await coded("return price * vars['tax']", tax=0.2, shop="F")).values == {"result": 2.0}
    assert (await coded("vars['tax']\nreturn sorted(vars)", tax=0.2, shop="F")).values == {"result": ["shop", "tax"]}
    assert (await coded("return price * vars.get('tax', 0)", shop="F")).values == {"result": 0}
    with pytest.raises(NodeError, match="no variable 'tax' here. Known are: shop. Add it") as missing:
        await coded("return price * vars['tax']", shop="F")
    assert missing.value.field == "code"
    with pytest.raises(NodeError, match="no variable 'tax' here. This workspace has no variables here"):
        await coded("return price * vars['tax']")


async def test_rule_126_an_input_of_that_name_is_the_input():
    settings = Settings(code="return vars['a']", inputs=(Input("vars", "object"),))
    ctx = context(sandbox=lambda ctx: StepSandbox(ctx, lambda: False))
    assert (await python.run(settings, Inputs({"vars": {"a": 1}}), ctx)).values == {"result": 1}
    assert python.reads is not None and python.reads(settings) == ()


def test_rule_126_the_steps_whose_code_reads_one_are_known():
    flow = Flow([NodeUse("sum", "code.python", settings={"code": "return vars['tax']"})])
    assert variables_of(flow, KINDS) == {"sum": ("tax",)}
    assert compile(flow, KINDS).vars == ("tax",)  # type: ignore[union-attr]


async def test_rule_126_other_values_are_no_kept_result():
    flow = Flow([NodeUse("sum", "code.python", keep=60, settings={"code": "return vars['tax']", "inputs": []})])
    store, capabilities = MemoryKeeping(), {"sandbox": lambda ctx: StepSandbox(ctx, lambda: False)}

    async def given(tax: float) -> tuple[object, bool]:
        facts = RunFacts("r", workspace_id="w", keeping=store, vars={"tax": tax}, capabilities=capabilities)  # type: ignore[arg-type]
        record = await run_express(compile(flow, KINDS), {}, context=facts)  # type: ignore[arg-type]
        (step,) = record.steps
        return step.output.values["result"], step.kept is True

    assert await given(0.2) == (0.2, False)
    assert await given(0.2) == (0.2, True)
    assert await given(0.3) == (0.3, False)
