"""code.python: what people see of it. The sandbox behind it is the real one."""

import re
from pathlib import Path

import pytest

from components.code.python import Input, Inputs, Output, Settings, python
from flows.catalogue import load
from flows.compile import check, compile
from flows.document import load_flow
from flows.express import run_express
from flows.host.sandbox import StepSandbox
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.sdk import Message, NodeError
from flows.sdk.context import RunFacts
from flows.sdk.testing import context


def sandbox(ctx):
    return StepSandbox(ctx, lambda: False)


async def run(code, values=None, ctx=None, **settings):
    values = values or {}
    settings = Settings(code=code, **{"inputs": tuple(Input(name) for name in values), **settings})
    return (await python.run(settings, Inputs(values), ctx or context(sandbox=sandbox))).values


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("a + 1", 8),
        ("return a * 2", 14),
        ("b = a\nb", 7),
        ("b = a", None),
        ("if a > 3:\n    return 'much'\nreturn 'little'", "much"),
        ("[n * n for n in range(a) if n % 2]", [1, 9, 25]),
        ("import re\nre.sub('[aeiou]', '_', 'flow')", "fl_w"),
        ("from collections import Counter\ndict(Counter('abba'))", {"a": 2, "b": 2}),
        ("from datetime import date\ndate(2026, 11, 21)", "2026-11-21"),
        ("from decimal import Decimal\nDecimal('1.10') + 1", "2.10"),
        ("(1, {2: 'x'}, {3})", [1, {"2": "x"}, [3]]),
        ("def twice(n):\n    return n + n\ntwice(a)", 14),
    ],
)
async def test_the_result_is_what_return_gives_or_the_last_line(code, result):
    assert await run(code, {"a": 7}) == {"result": result}


async def test_inputs_are_there_by_name_and_one_that_did_not_come_is_none():
    inputs = (Input("order", "object"), Input("note", "text"))
    out = await run("[order['id'], note]", {"order": {"id": 3}}, inputs=inputs)
    assert out == {"result": [3, None]}


async def test_named_outputs_are_fields_of_the_result_and_of_their_kind():
    outputs = (Output("total", "number"), Output("names", "list"))
    assert await run("return {'total': 1.5, 'names': ['a'], 'more': 1}", outputs=outputs) == {
        "total": 1.5,
        "names": ["a"],
    }
    for code, says in (
        ("return 3", "The code gave a number back. Return an object"),
        ("return {'total': 1}", "has no 'names'; it has: total"),
        ("return {'total': 'x', 'names': []}", "'total' of the code's result is text, not a number"),
        ("return {'total': True, 'names': []}", "is yes or no, not a number"),
    ):
        with pytest.raises(NodeError, match=says) as refused:
            await run(code, outputs=outputs)
        assert refused.value.field == "outputs"


async def test_what_it_prints_and_what_it_used_is_in_the_log():
    ctx = context(sandbox=sandbox)
    await run("print('one')\nprint('two', 2)", ctx=ctx)
    assert ctx.logged[:2] == ["one", "two 2"] and "ms of CPU" in ctx.logged[2] and "MB of memory" in ctx.logged[2]


async def test_a_flood_of_print_is_cut():
    ctx = context(sandbox=sandbox)
    await run("for i in range(20000): print('x' * 50)", ctx=ctx)
    assert sum(map(len, ctx.logged)) < 20_000 and "It printed more than is kept." in ctx.logged


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "x = 1\norder['price']",
            r"Line 2: there is no 'price'. .*The line is: order\['price'\] \(order is an object with id\)",
        ),
        ("1 / zero", "Line 1: it divides by zero. Check the number first. .*zero is the number 0"),
        ("totl + 1", "name 'totl' is not defined. Correct it, or add an input of that name."),
        ("[1][5]", "Check the length first"),
        ("import requests", "No module named 'requests'. There are base64"),
        ("open('/etc/passwd')", "Code has no files, no network and no environment"),
        ("raise ValueError('wrong size')", "Line 1: ValueError: wrong size."),
        ("assert zero == 1", "AssertionError"),
        ("lambda: 1\nreturn {'f': [b'x']}", r"Result\['f'\]\[0\] is bytes .* A result is made of texts"),
        ("2 ** 80", "more than 64 bits"),
        ("float('inf')", "no number a flow can carry"),
        ("def f(n):\n  return f(n)\nf(1)", "functions call each other too deep"),
    ],
)
async def test_an_error_names_the_line_the_value_and_what_to_do(code, says):
    with pytest.raises(NodeError, match=says) as refused:
        await run(code, {"order": {"id": 1}, "zero": 0})
    assert refused.value.field == "code"


@pytest.mark.parametrize(
    ("code", "settings", "says"),
    [
        ("while True: pass", {"seconds": 0.2}, "longer than its limit of 0.2 s and was stopped"),
        ("'x' * 10 ** 9", {"memory": 16}, "more memory than its limit of 16 MB in line 1"),
        ("10 ** 10 ** 10", {}, "more memory than its limit"),
        ("import time\ntime.sleep(30)", {"seconds": 0.2}, "longer than its limit"),
    ],
)
async def test_limits_stop_the_step_and_nothing_else(code, settings, says):
    with pytest.raises(NodeError, match=says):
        await run(code, **settings)
    assert await run("1 + 1") == {"result": 2}


async def test_full_python_is_refused_where_it_is_not_allowed_never_replaced_by_the_other():
    with pytest.raises(NodeError, match="AGENTBASE_FULL_PYTHON=on") as refused:
        await run("1", engine="full")
    assert refused.value.field == "engine"


@pytest.mark.parametrize(
    ("settings", "field", "says"),
    [
        ({"inputs": [{"name": "class"}]}, "inputs", "another meaning"),
        ({"inputs": [{"name": "a"}, {"name": "a"}]}, "inputs", "there twice"),
        ({"outputs": [{"name": "error"}]}, "outputs", "another meaning"),
        ({"code": "x = = 1"}, "code", "Line 1 can't be read: x = = 1. Expected an expression. Correct it."),
        ({"code": "a = 1\n\nfor x in a\n    pass"}, "code", "Line 3 can't be read"),
        ({"code": "def f():\n    yield 1"}, "code", "Safe Python has no yield expressions. .* choose full Python"),
    ],
)
def test_the_editor_says_what_is_wrong_before_it_runs(settings, field, says):
    problems = check(Flow([NodeUse("c", "code.python", settings=settings)]), load())
    (problem,) = [p for p in problems if p.severity == "error"]
    assert problem.field == field and re.search(says, problem.message), problem


def test_looking_at_code_runs_nothing_of_it(tmp_path):
    """CVE-2025-3248: decorators and default values ran when the code was only "validated"."""
    code = "@(lambda f: 1 / 0)\ndef f(a=1 / 0, *, b=print('ran')):\n    pass\nclass A:\n    x = 1 / 0\n1 / 0"
    assert check(Flow([NodeUse("c", "code.python", settings={"code": code})]), load()) == []


async def test_it_runs_in_the_express_lane_between_other_steps():
    flow = Flow(
        [
            NodeUse("in", "data.set", settings={"fields": [{"name": "n", "kind": "value", "value": "41"}]}),
            NodeUse("pick", "data.json", settings={"path": "n"}),
            NodeUse(
                "c",
                "code.python",
                settings={"code": "return number + 1", "inputs": [{"name": "number", "kind": "number"}]},
            ),
            NodeUse("end", "show.answer"),
        ],
        [Edge("in.object", "pick.source"), Edge("pick.value", "c.number"), Edge("c.result", "end.data")],
    )
    plan = compile(flow, load())
    assert isinstance(plan, Plan), plan
    assert plan.express
    record = await run_express(plan, {}, context=RunFacts("r", capabilities={"sandbox": sandbox}))
    assert record.status == "succeeded", record.fault
    assert record.output.data == 42


async def test_a_message_arrives_as_an_object():
    assert await run("m['text'] + m['role']", {"m": Message("Hi", "assistant")}) == {"result": "Hiassistant"}


async def test_the_flow_of_the_docs_runs():
    file = Path(__file__).parents[3] / "docs/extend/examples/order-total.json"
    plan = compile(load_flow(file.read_bytes()), load())
    assert isinstance(plan, Plan), plan
    order = {"lines": [{"price": 2.5, "quantity": 2}, {"price": 9, "quantity": 0}, {"price": 1.25, "quantity": 4}]}
    facts = RunFacts("r", trigger="api", capabilities={"sandbox": sandbox})
    record = await run_express(plan, order, context=facts)
    assert record.status == "succeeded", record.fault
    assert record.output.data == 10.0
