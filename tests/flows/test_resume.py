import pytest
from msgspec import Struct

from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.run import Engine
from flows.sdk import Context, node


class Nothing(Struct): ...


class Text(Struct):
    text: str


async def test_a_step_that_finished_before_the_crash_is_not_run_again():
    calls: list[str] = []

    @node("say", version=1, title="Say", effect="idempotent")
    async def say(settings: Nothing, inputs: Nothing, ctx: Context) -> Text:
        calls.append(ctx.step_key)
        return Text("hello")

    @node("shout", version=1, title="Shout", effect="pure")
    async def shout(settings: Nothing, inputs: Text, ctx: Context) -> Text:
        calls.append(ctx.step_key)
        if calls.count(ctx.step_key) == 1:
            raise ConnectionError("the worker dies here")
        return Text(inputs.text.upper())

    flow = Flow([NodeUse("a", "say"), NodeUse("b", "shout")], [Edge("a.text", "b.text")])
    ledger, catalogue = MemoryLedger(), {"say": say, "shout": shout}
    with pytest.raises(ExceptionGroup):
        await Engine(catalogue, ledger).run("r1", flow)
    finished = await Engine(catalogue, ledger).run("r1", flow)  # another worker, same ledger

    assert finished["b"] == Text("HELLO")
    assert calls == ["r1:a", "r1:b", "r1:b"]
