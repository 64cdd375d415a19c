"""Node types and short forms for flow tests."""

import asyncio
from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from components.logic import NODES as LOGIC
from components.people import NODES as PEOPLE
from components.show import NODES as SHOW
from flows.compile import compile
from flows.express import Record, run_express
from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.run import Engine, Outcome
from flows.sdk import Context, Message, NodeError, Template, Usage, many, node
from flows.sdk.context import RunFacts


class Nothing(Struct, frozen=True): ...


class Say(Struct, frozen=True, forbid_unknown_fields=True):
    text: Template = ""
    after: float = 0
    fail_times: int = 0
    retry: bool = True
    error: str = "it broke"


class Passed(Struct, frozen=True):
    value: Any = None


class Text(Struct, frozen=True):
    text: str


class Listed(Struct, frozen=True):
    items: list[Any] = []


class Gathered(Struct, frozen=True):
    things: Annotated[list[Any], many()] = []


class Log:
    """What ran, and how often. One per test: `nodes(log)`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.now = 0
        self.most = 0

    def count(self, key: str) -> int:
        return self.calls.count(key)


def nodes(log: Log) -> dict[str, Any]:
    async def act(settings: Say, ctx: Context) -> None:
        log.calls.append(ctx.step_key.partition(":")[2])
        log.now += 1
        log.most = max(log.most, log.now)
        try:
            if settings.after:
                await asyncio.sleep(settings.after)
            if log.count(ctx.step_key.partition(":")[2]) <= settings.fail_times:
                raise NodeError(settings.error, retry=settings.retry)
        finally:
            log.now -= 1

    @node("say", version=1, title="Say", effect="pure")
    async def say(settings: Say, inputs: Passed, ctx: Context) -> Text:
        await act(settings, ctx)
        return Text(settings.text or ctx.node_id)

    @node("pay", version=1, title="Pay", effect="at_most_once")
    async def pay(settings: Say, inputs: Passed, ctx: Context) -> Text:
        await act(settings, ctx)
        return Text(ctx.idempotency_key)

    @node("ask", version=1, title="Ask", effect="repeatable_costed")
    async def ask(settings: Say, inputs: Passed, ctx: Context) -> Text:
        await act(settings, ctx)
        ctx.say("Hel")
        ctx.say("lo")
        ctx.record(Usage(10, 2, 30))
        return Text("Hello")

    @node("pass", version=1, title="Pass", effect="pure")
    async def hand_on(settings: Nothing, inputs: Passed, ctx: Context) -> Passed:
        return Passed(inputs.value)

    @node("list", version=1, title="List", effect="pure")
    async def make_list(settings: Listed, inputs: Nothing, ctx: Context) -> Listed:
        return Listed(settings.items)

    @node("gather", version=1, title="Gather", effect="pure")
    async def gather(settings: Nothing, inputs: Gathered, ctx: Context) -> Passed:
        return Passed(inputs.things)

    @node("choose", version=1, title="Choose", effect="pure")
    async def choose(settings: Passed, inputs: Passed, ctx: Context) -> Ways:
        way = settings.value if settings.value is not None else bool(inputs.value)
        return Ways(yes=inputs.value) if way else Ways(no=inputs.value)

    @node("speak", version=1, title="Speak", effect="pure")
    async def speak(settings: Nothing, inputs: Text, ctx: Context) -> Spoken:
        return Spoken(Message(inputs.text), float(len(inputs.text)), bool(inputs.text))

    @node("number", version=1, title="Number", effect="pure")
    async def number(settings: Passed, inputs: Nothing, ctx: Context) -> Passed:
        return Passed(settings.value)

    @node("double", version=1, title="Double", effect="pure")
    async def double(settings: Nothing, inputs: Passed, ctx: Context) -> Passed:
        return Passed(inputs.value * 2)

    mine = (say, pay, ask, hand_on, make_list, gather, choose, speak, number, double)
    return {kind.name: kind for kind in (*mine, *LOGIC, *PEOPLE, *SHOW)}


class Ways(Struct, frozen=True):
    yes: Any | UnsetType = UNSET
    no: Any | UnsetType = UNSET


class Spoken(Struct, frozen=True):
    message: Message
    length: float
    long: bool


def flow(*uses: NodeUse, wires: str = "") -> Flow:
    """`wires`: "a.text>b.value b.value>c.value"."""
    return Flow(list(uses), [Edge(*wire.split(">")) for wire in wires.split()])


def plan_of(made: Flow, log: Log | None = None) -> Plan:
    plan = compile(made, nodes(log or Log()))
    assert isinstance(plan, Plan), str(plan)
    return plan


async def express(made: Flow, log: Log | None = None, **options: Any) -> Record:
    given = options.pop("input", {})
    facts = options.pop("facts", None) or RunFacts("r")
    return await run_express(plan_of(made, log), given, context=facts, **options)


async def durable(made: Flow, ledger: MemoryLedger, log: Log | None = None, **options: Any) -> Outcome:
    """One claim of run "r": until it ends or sleeps."""
    ledger.open("r", options.pop("input", None), **options.pop("facts", {}))
    engine = Engine(nodes(log or Log()), ledger, **options.pop("engine", {}))
    return await engine.advance(ledger.claim("r"), plan_of(made, log), **options)


def statuses(ledger: MemoryLedger) -> dict[str, str]:
    return {f"{row.node}:{row.iter}" if row.iter else row.node: row.status for row in ledger.runs["r"].steps}
