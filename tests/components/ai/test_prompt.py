from components.ai.prompt import Settings, prompt
from components.start.api import api
from flows.compile import compile
from flows.express import run_express
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.sdk.context import RunFacts


def test_each_variable_of_the_template_is_an_input_once_and_the_run_input_is_none():
    settings = Settings(template="{{ name }} {{ order.total }} {{ name }} {{ input.x }} {{ size(names) }}")
    assert [port.name for port in prompt.ports(settings).inputs] == ["name", "order", "names"]


async def test_values_are_written_plainly_into_the_text():
    template = "{{ all.list }} {{ input.n }} {{ input.ok }} {{ input.none }}."
    flow = Flow(
        [NodeUse("s", "start.api"), NodeUse("p", "ai.prompt", settings={"template": template})],
        [Edge("s.input", "p.all")],
    )
    plan = compile(flow, {"start.api": api, "ai.prompt": prompt})
    assert isinstance(plan, Plan)
    given = {"list": [1, "b"], "n": 3.0, "ok": True, "none": None}
    record = await run_express(plan, given, context=RunFacts("r"))
    assert record.steps[-1].output.text == '[1,"b"] 3 yes .'
