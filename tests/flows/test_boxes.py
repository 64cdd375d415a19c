"""Random containers in containers, with exits, failures, silence and crashes: the engine does what the reference says.

Size: AGENTBASE_GRAPHS, as in test_properties.py.
"""

import asyncio
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from components.logic import NODES as LOGIC
from flows.compile import compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, Signal, Wait, node
from flows.sdk.context import RunFacts
from flows.stored import filled
from tests.flows.reference_boxes import Box, Fails, run
from tests.flows.test_properties import PATIENCE, SIZE, Flaky

pytestmark = PATIENCE


class Settings(Struct, frozen=True):
    fails: list[int] = []
    silent: list[int] = []
    waits: list[int] = []
    given: str = ""
    rounds: int = 0
    breaths: int = 0


class Inputs(Struct, frozen=True):
    value: Any = None


class Outputs(Struct, frozen=True):
    value: Any | UnsetType = UNSET


class Two(Struct, frozen=True):
    given: Any
    index: int


class Items(Struct, frozen=True):
    items: list[str]


class Exits(Struct, frozen=True):
    next: Any | UnsetType = UNSET
    leave: Any | UnsetType = UNSET
    stay: Any | UnsetType = UNSET


class ExitSettings(Struct, frozen=True):
    next: list[int] = []
    leaves: list[int] = []


class Came(Struct, frozen=True):
    value: Any
    index: int


def plain(value: Any) -> Any:
    """The reference does not know the words of errors that come up through several containers."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {"error": "as asked"} if isinstance(value, dict) else value


@node("t.given", version=1, title="Given", effect="pure")
async def given_(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    return Outputs(settings.given)


@node("t.items", version=1, title="Items", effect="pure")
async def items(settings: Settings, inputs: Inputs, ctx: Context) -> Items:
    return Items([f"{plain(inputs.value)}.{i}" for i in range(settings.rounds)])


@node("t.sort", version=1, title="Sort", effect="pure")
async def sort(settings: ExitSettings, inputs: Came, ctx: Context) -> Exits:
    if inputs.index in settings.leaves:
        return Exits(leave=inputs.value)
    if inputs.index in settings.next:
        return Exits(next=inputs.value)
    return Exits(stay=inputs.value)


@node("t.work", version=1, title="Work", effect="idempotent", waits=True)
async def work(settings: Settings, inputs: Came, ctx: Context) -> Outputs | Wait:
    for _ in range(settings.breaths):
        await asyncio.sleep(0)
    if inputs.index in settings.waits and ctx.signal is None:
        return Wait(signal="go")
    if inputs.index in settings.fails:
        raise NodeError("as asked")
    return Outputs() if inputs.index in settings.silent else Outputs(f"w({plain(inputs.value)})")


@node("t.done", version=1, title="Work", effect="idempotent")
async def quick(settings: Settings, inputs: Came, ctx: Context) -> Outputs:
    for _ in range(settings.breaths):
        await asyncio.sleep(0)
    if inputs.index in settings.fails:
        raise NodeError("as asked")
    return Outputs() if inputs.index in settings.silent else Outputs(f"w({plain(inputs.value)})")


@node("t.text", version=1, title="Text", effect="pure")
async def text(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    return Outputs(str(plain(inputs.value)))


CATALOGUE = {kind.name: kind for kind in (given_, items, sort, work, quick, text, *LOGIC)}


@st.composite
def boxes(draw: st.DrawFn, deep: int = 3, waits: bool = False) -> Box:
    rounds = draw(st.integers(0, 4))
    some = st.lists(st.integers(0, 3), max_size=2, unique=True)
    inner = draw(boxes(deep - 1, waits)) if deep and draw(st.integers(0, 2)) == 0 else None
    exits = draw(st.booleans())
    return Box(
        each=draw(st.booleans()),
        rounds=rounds,
        policy=draw(st.sampled_from(["skip", "collect", "skip", "fail"])),
        at_once=draw(st.integers(1, 4)),
        fails=draw(some) if draw(st.booleans()) else [],
        silent=draw(some),
        next=draw(some) if exits else [],
        leaves=draw(st.lists(st.integers(0, 3), max_size=1)) if exits else [],
        carries=draw(st.booleans()),
        waits=draw(some) if waits else [],
        inner=inner,
    )


def growth(box: Box) -> int:
    """How many times longer a text may come out than it went in. A Repeat around a For each grows without measure."""
    inner = growth(box.inner) if box.inner is not None else 1
    # A list as text quotes what is in it, and quotes the quotes of the round before.
    return 3 * max(1, box.rounds) * inner if box.each else inner**box.rounds


def small(box: Box) -> bool:
    """What comes out fits into memory: how much a run may hold is the subject of other tests."""
    return growth(box) <= 20_000


def lay(box: Box, made: Flow, source: str, parent: str, breaths: int, waiting: bool) -> str:
    """Add the box to the flow, fed from `source`; gives the port of its result."""
    name = f"b{len(made.nodes)}"
    kind = NodeUse(
        name,
        "logic.each" if box.each else "logic.loop",
        parent=parent,
        settings={"at_once": box.at_once, "on_item_error": box.policy}
        if box.each
        else {"condition": f"index < {box.rounds}"},
    )
    made.nodes.append(kind)
    if box.each:
        made.nodes.append(NodeUse(f"{name}l", "t.items", parent=parent, settings={"rounds": box.rounds}))
        made.edges += [Edge(source, f"{name}l.value"), Edge(f"{name}l.items", f"{name}.items")]
        came, result, out = f"{name}.item", f"{name}.result", f"{name}.results"
    else:
        made.edges.append(Edge(source, f"{name}.state"))
        came, result, out = f"{name}.current", f"{name}.next", f"{name}.state"
    made.nodes += [
        NodeUse(f"{name}s", "t.sort", parent=name, settings={"next": box.next, "leaves": box.leaves}),
        NodeUse(f"{name}n", "logic.next", parent=name),
        NodeUse(f"{name}o", "logic.leave", parent=name),
        NodeUse(
            f"{name}w",
            "t.work" if waiting else "t.done",
            parent=name,
            settings={"fails": box.fails, "silent": box.silent, "waits": box.waits, "breaths": breaths},
        ),
    ]
    into = "value" if box.carries else "after"
    made.edges += [
        Edge(came, f"{name}s.value"),
        Edge(f"{name}.index", f"{name}s.index"),
        Edge(f"{name}s.next", f"{name}n.{into}"),
        Edge(f"{name}s.leave", f"{name}o.{into}"),
        Edge(f"{name}.index", f"{name}w.index"),
        Edge(f"{name}w.value", result),
    ]
    if box.inner is None:
        made.edges.append(Edge(f"{name}s.stay", f"{name}w.value"))
    else:
        made.nodes.append(NodeUse(f"{name}t", "t.text", parent=name))
        made.edges.append(Edge(f"{name}s.stay", f"{name}t.value"))
        inside = lay(box.inner, made, f"{name}t.value", name, breaths, waiting)
        made.edges.append(Edge(inside, f"{name}w.value"))
    return out


def flow_of(box: Box, breaths: int, waiting: bool) -> Plan:
    made = Flow([NodeUse("g", "t.given", settings={"given": "x"}), NodeUse("end", "t.text")])
    made.edges.append(Edge(lay(box, made, "g.value", "", breaths, waiting), "end.value"))
    plan = compile(made, CATALOGUE)
    assert isinstance(plan, Plan), plan
    return plan


def wanted(box: Box) -> str | None:
    try:
        return str(run(box, "x"))
    except Fails:
        return None


LARGE = Box(False, 3, carries=False, inner=Box(False, 3, carries=False, inner=Box(True, 2, carries=False)))
"""What comes out is larger than the record keeps."""


@SIZE
@example(LARGE, 0)
@given(boxes().filter(small), st.integers(0, 2))
def test_containers_of_the_express_lane_do_what_the_reference_says(box: Box, breaths: int):
    record = asyncio.run(run_express(flow_of(box, breaths, False), {}, context=RunFacts("r")))
    expected = wanted(box)
    assert record.status == ("failed" if expected is None else "succeeded"), record.fault
    if expected is not None:
        out = next(s.output for s in record.steps if s.node == "end")
        # What is large is only named in the record (rule 100).
        assert (filled(out, record.values)["value"] if isinstance(out, dict) else out.value) == expected


@SIZE
@given(
    boxes(waits=True).filter(small),
    st.integers(0, 2),
    st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=4),
)
def test_pauses_and_crashes_anywhere_in_containers_change_nothing(
    box: Box, breaths: int, deaths: list[tuple[int, bool]]
):
    ledger = Flaky(deaths)
    ledger.open("r")
    plan = flow_of(box, breaths, True)

    async def until_done() -> Any:
        for _ in range(2_000):
            try:
                async with asyncio.timeout(5):
                    outcome = await Engine(CATALOGUE, ledger).advance(ledger.claim("r"), plan)
            except TimeoutError:
                raise AssertionError("the run hangs") from None
            except OSError:
                continue
            if outcome.status != "waiting":
                return outcome
            waiting = [row for row in ledger.runs["r"].steps if row.status == "waiting"]
            assert waiting, "it sleeps, and nothing waits"
            ledger.signal("r", Signal("go", step=f"{waiting[-1].node}:{waiting[-1].iter}"))
        raise AssertionError("the run comes to no end")

    outcome = asyncio.run(until_done())
    expected = wanted(box)
    assert outcome.status == ("failed" if expected is None else "succeeded"), outcome.fault
    if expected is not None:
        assert outcome.outputs["end"].value == expected
    assert isinstance(ledger, MemoryLedger)
