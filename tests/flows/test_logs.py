"""What steps say is kept with the run (rule 72)."""

from typing import Any

from msgspec import UNSET, Struct

from flows.compile import compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.model import Flow, NodeUse, Retry
from flows.run import Engine
from flows.sdk import Context, NodeError, node
from flows.sdk.context import RunFacts
from flows.sdk.logs import ENOUGH, MOST_LINE, MOST_OF_RUN, MOST_OF_STEP, RunLog, lines_in
from tests.flows.nodes import Log, express, flow, nodes


class Times(Struct, frozen=True):
    times: int = 1
    fails: bool = False


class Nothing(Struct, frozen=True): ...


@node("talk", version=1, title="Talk", effect="idempotent")
async def talk(settings: Times, inputs: Nothing, ctx: Context) -> Nothing:
    for i in range(settings.times):
        ctx.log(f"line {i}", level="warning" if i else "info", n=i)
    ctx.log("odd", level="shouting", what=object())
    if settings.fails and ctx.attempt == 1:
        raise NodeError("once more", retry=True)
    return Nothing()


CATALOGUE = {**nodes(Log()), "talk": talk}


def made(**settings: Any) -> Flow:
    return Flow([NodeUse("t", "talk", settings=settings, retry=Retry(2, 0.01))])


async def run(flow: Flow, **options: Any) -> MemoryLedger:
    ledger = MemoryLedger()
    await Engine(CATALOGUE, ledger, **options).run("r", flow)
    return ledger


def said(ledger: MemoryLedger) -> list[dict[str, Any]]:
    return [event for event in ledger.events["r"] if event["type"] == "step.log"]


async def test_rule_72_lines_are_kept_in_the_record_of_both_lanes_with_level_time_and_data():
    events = said(await run(made(times=2)))
    assert [(e["text"], e["level"], e["output"]) for e in events] == [
        ("line 0", "info", {"n": 0}), ("line 1", "warning", {"n": 1}), ("odd", "info", {}),
    ]  # fmt: skip
    assert all(e["node"] == "t" and e["at"] > 1e9 and e["attempt"] == 1 for e in events)
    record = await run_express(compile(made(times=2), CATALOGUE), {}, context=RunFacts("r"))
    lines = record.steps[0].logs
    assert [(line.text, line.level, line.data) for line in lines] == [
        (e["text"], e["level"], e["output"]) for e in events
    ]
    assert b'"logs"' in record.steps_json


async def test_lines_of_a_failed_try_are_kept_with_its_number():
    events = said(await run(made(fails=True)))
    assert [(e["text"], e["attempt"]) for e in events] == [("line 0", 1), ("odd", 1), ("line 0", 2), ("odd", 2)]


async def test_a_step_that_says_too_much_keeps_its_first_lines_and_a_last_one_that_says_so():
    events = said(await run(made(times=MOST_OF_STEP + 50)))
    assert len(events) == MOST_OF_STEP + 1 and events[-1]["text"] == ENOUGH and events[-1]["level"] == "warning"


def test_a_run_keeps_so_many_lines_and_no_line_is_longer_than_its_limit():
    log = RunLog()
    for i in range(MOST_OF_RUN + 100):
        log.add({"node": f"n{i}", "iter": "", "text": "x"})
    assert sum(map(len, log.lines.values())) == MOST_OF_RUN + 1
    ctx = Context(RunFacts("r"), "a")
    ctx.log("y" * 10_000, big="z" * 10_000)
    (line,) = ctx.run.log.lines["a", ""]
    assert len(line.text) == MOST_LINE and line.data == {}


async def test_a_step_that_says_nothing_adds_nothing_to_its_record():
    record = await express(flow(NodeUse("a", "say")))
    assert record.steps[0].logs is UNSET and b"logs" not in record.steps_json


async def test_a_called_flow_says_under_the_step_that_calls_it():
    @node("calls", version=1, title="Calls", effect="pure", subflow=True)
    async def calls(settings: Nothing, inputs: Nothing, ctx: Context) -> Nothing:
        await ctx.flow("v", {})
        return Nothing()

    async def flow_of(facts: Any, version: str) -> Any:
        return compile(made(), CATALOGUE)

    ledger = MemoryLedger()
    engine = Engine({**CATALOGUE, "calls": calls}, ledger, flow_of=flow_of)
    await engine.run("r", Flow([NodeUse("call", "calls")], []))
    assert set(lines_in(iter(said(ledger)))) == {("call/t", "")}
