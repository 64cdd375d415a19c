"""Random flows of everything: called flows and rounds of them, waits, tries, variables, kept results, an early answer,
undoing, failures, deadlines, cancelling, crashes. The engine does what the reference says.

Size: AGENTBASE_GRAPHS, as in test_properties.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from components.logic import NODES as LOGIC
from components.show import NODES as SHOW
from flows.compile import compile
from flows.express import run_express
from flows.ledger.keeping import MemoryKeeping
from flows.model import Edge, Flow, NodeUse, Retry
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, Signal, Template, Wait, many, node
from flows.sdk.context import RunFacts
from flows.undoing import Armed
from tests.flows.reference_whole import Key, Part, Played, Source, Whole, play, text_of
from tests.flows.test_properties import PATIENCE, SIZE, Flaky

pytestmark = PATIENCE
VARIABLES = ("a", "b")
calls: list[tuple[str, Key]] = []
"""Which steps were called, in order, by name and place; of the run that goes on now."""


class Settings(Struct, frozen=True):
    name: str = ""
    said: Template = ""
    way: bool = True
    fails: bool = False
    waits: bool = False
    tries: int = 0


class Inputs(Struct, frozen=True):
    m: Annotated[list[str], many()] = []
    x: str = "-"


class Outputs(Struct, frozen=True):
    text: str
    yes: str | UnsetType = UNSET
    no: str | UnsetType = UNSET


class Texts(Struct, frozen=True):
    items: list[Any] = []


class Rounds(Struct, frozen=True):
    rounds: int = 0


def act(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    calls.append((settings.name, (ctx.node_id, ctx.iter)))
    if settings.fails:
        raise NodeError("as asked")
    if ctx.attempt <= settings.tries:
        raise NodeError("not yet", retry=True)
    text = text_of(settings.name, inputs.x, inputs.m, settings.said)
    return Outputs(text, **{"yes" if settings.way else "no": text})


@node("t.step", version=1, title="Step", effect="idempotent", waits=True)
async def step(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs | Wait:
    await asyncio.sleep(0)
    if settings.waits and ctx.signal is None:
        return Wait(signal="go")
    return act(settings, inputs, ctx)


@node("t.plain", version=1, title="Plain", effect="idempotent")
async def plain(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    await asyncio.sleep(0)
    return act(settings, inputs, ctx)


@node("t.quick", version=1, title="Quick", effect="pure")
async def quick(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    await asyncio.sleep(0)
    return act(settings, inputs, ctx)


@node("t.in", version=1, title="In", effect="pure")
async def come_in(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    return Outputs(str(ctx.input.get("x", "-")))


@node("t.list", version=1, title="List", effect="pure")
async def make_list(settings: Rounds, inputs: Inputs, ctx: Context) -> Texts:
    return Texts([f"{inputs.x}.{i}" for i in range(settings.rounds)])


@node("t.flat", version=1, title="Flat", effect="pure")
async def flat(settings: Rounds, inputs: Texts, ctx: Context) -> Outputs:
    return Outputs("|".join(item if isinstance(item, str) else "(error)" for item in inputs.items))


CATALOGUE = {kind.name: kind for kind in (step, plain, quick, come_in, make_list, flat, *LOGIC, *SHOW)}
DEFAULTS: dict[str, dict[str, Any]] = {
    "call": {"text": "default", "data": None}, "each": {"results": ["default"], "errors": []},
}  # fmt: skip


@st.composite
def parts_of(draw: st.DrawFn, lane: str, deep: int) -> Whole:
    """1 to 6 parts; calls at most two deep. `lane` express: nothing waits or is undone."""
    inside, durable = deep < 2, lane == "durable"
    parts = [Part("in")] if inside else []
    for i in range(len(parts), draw(st.integers(1, 4 if inside else 6)) + inside):
        kind = draw(st.sampled_from(["step", "step", "step", *(["call", "each"] if deep else [])]))
        before = st.tuples(st.integers(0, i - 1), st.sampled_from(["text", "text", "yes", "no"])) if i else None
        part = Part(
            kind,
            x=draw(st.none() | before) if before is not None else None,
            m=draw(st.lists(before, max_size=2, unique=True)) if before is not None and kind == "step" else [],
            way=draw(st.booleans()),
            fails=kind == "step" and draw(st.integers(0, 5)) == 0,
            on_error=draw(st.sampled_from(["stop", "default", "wire", "continue"])),
            disabled=draw(st.integers(0, 11)) == 0,
            rounds=draw(st.integers(0, 3)),
            at_once=draw(st.integers(1, 3)),
            policy=draw(st.sampled_from(["skip", "collect", "fail"])),
        )
        if kind == "step":
            part.variable = draw(st.sampled_from(["", "", "", *VARIABLES]))
            part.waits = durable and draw(st.integers(0, 4)) == 0
            part.keeps = not part.waits and draw(st.booleans())
            part.tries = draw(st.sampled_from([0, 0, 0, 1, 2]))
        else:
            part.inner = draw(parts_of(lane, deep - 1))
        parts.append(part)
    some = st.integers(0, len(parts) - 1)
    undone = draw(st.lists(some, max_size=2, unique=True)) if durable else []
    return Whole(parts, undone, draw(some if inside else st.none() | some))


def laid(whole: Whole, versions: list[Flow], answer: str) -> int:
    """Make the flow and those it calls; gives its number, which is its version. `answer`: kind of its answer step."""
    whole.number = len(versions)
    made = Flow()
    versions.append(made)
    for i, part in enumerate(whole.parts):
        _lay(part, i, whole, made, versions)
    for i in whole.undone:
        text = _port(whole, (i, "text"))
        made.nodes += [NodeUse(f"u{i}", "logic.undo"), NodeUse(f"no{i}", "t.plain", settings={"name": "no"})]
        made.edges += [Edge(text, f"u{i}.value"), Edge(f"u{i}.value", f"no{i}.x")]
    if whole.answers is not None:
        made.nodes.append(NodeUse("out", answer))
        made.edges.append(Edge(_port(whole, (whole.answers, "text")), "out.text"))
    return whole.number


def _lay(part: Part, i: int, whole: Whole, made: Flow, versions: list[Flow]) -> None:
    id, into = f"n{i}", {"each": f"n{i}l.x"}.get(part.kind, f"n{i}.x")
    default = DEFAULTS.get(part.kind, {"text": "default"})
    use = NodeUse(id, "t.in", on_error=part.on_error, default=default, disabled=part.disabled)  # type: ignore[arg-type]
    made.nodes.append(use)
    if part.kind == "step":
        use.type = "t.quick" if part.keeps else "t.step" if part.waits else "t.plain"
        use.settings = {"name": f"f{whole.number}.{i}", "way": part.way, "fails": part.fails, "tries": part.tries}
        use.settings |= {"said": f"{{{{ vars.{part.variable} }}}}"} if part.variable else {}
        use.settings |= {"waits": True} if part.waits else {}
        use.keep, use.retry = 60 if part.keeps else None, Retry(3, 0)
    elif part.inner is not None:
        call = {"flow": str(laid(part.inner, versions, "show.answer")), "fields": ["x"]}
        use.type, use.settings = "logic.flow", call
        if part.kind == "each":
            use.type, use.settings = "logic.each", {"at_once": part.at_once, "on_item_error": part.policy}
            made.nodes += [
                NodeUse(f"{id}l", "t.list", settings={"rounds": part.rounds}),
                NodeUse(f"{id}b", "logic.flow", parent=id, settings=call),
                NodeUse(f"{id}t", "t.flat"),
            ]
            made.edges += [
                Edge(f"{id}l.items", f"{id}.items"), Edge(f"{id}.item", f"{id}b.x"),
                Edge(f"{id}b.text", f"{id}.result"), Edge(f"{id}.results", f"{id}t.items"),
            ]  # fmt: skip

    made.edges += [Edge(_port(whole, part.x), into)] if part.x else []
    made.edges += [Edge(_port(whole, source), f"{id}.m") for source in part.m]


def _port(whole: Whole, source: Source) -> str:
    i, name = source
    return f"n{i}t.text" if whole.parts[i].kind == "each" else f"n{i}.{name}"


def tidied(whole: Whole) -> Whole:
    """Only steps have other outputs than their text."""
    for part in whole.parts:
        fits = {i: one.kind == "step" for i, one in enumerate(whole.parts)}
        part.x = part.x and (part.x if fits[part.x[0]] else (part.x[0], "text"))
        part.m = list(dict.fromkeys(each if fits[each[0]] else (each[0], "text") for each in part.m))
        if part.inner is not None:
            tidied(part.inner)
    return whole


def wholes(lane: str = "durable") -> st.SearchStrategy[Whole]:
    return parts_of(lane, 2).map(tidied)


def plans(whole: Whole, lane: str = "durable") -> list[Plan]:
    """By version; the first one is the flow itself."""
    versions: list[Flow] = []
    laid(whole, versions, "show.reply" if lane == "durable" else "show.answer")
    made = [compile(flow, CATALOGUE) for flow in versions]
    for plan in made:
        assert isinstance(plan, Plan), plan
    return made  # type: ignore[return-value]


def all_parts(whole: Whole) -> Iterator[Part]:
    for part in whole.parts:
        yield part
        if part.inner is not None:
            yield from all_parts(part.inner)


class World:
    """One ledger, and what a worker does with the run in it."""

    def __init__(self, made: list[Plan], deaths: list[tuple[int, bool]], store: MemoryKeeping) -> None:
        async def flow_of(facts: RunFacts, version: str) -> Plan:
            return made[int(version)]

        self.plan = made[0]
        self.ledger = Flaky(deaths)
        self.engine = Engine(CATALOGUE, self.ledger, flow_of=flow_of, keeping=store)
        self.slept = False

    async def finish(self, vars: dict[str, str], cut: str = "") -> Any:
        """The outcome. `cut`: what happens to it when it sleeps for the first time."""
        self.ledger.open("r", workspace_id="w", vars=vars)
        for _ in range(500):
            try:
                async with asyncio.timeout(5):
                    outcome = await self.engine.advance(self.ledger.claim("r"), self.plan)
            except TimeoutError:
                raise AssertionError("the run hangs") from None
            except OSError:
                continue
            if outcome.status != "waiting":
                return outcome
            waiting = [row for row in self.rows.values() if row.status == "waiting"]
            assert waiting, "it sleeps, and nothing waits"
            if cut and not self.slept:
                self._cut(cut)
            else:
                place = ":".join(filter(None, (waiting[-1].node, waiting[-1].iter)))
                self.ledger.signal("r", Signal("go", step=place))
            self.slept = True
        raise AssertionError("the run comes to no end")

    def _cut(self, how: str) -> None:
        if how == "cancelled":
            self.ledger.cancel("r")
        else:
            late = msgspec.structs.replace(self.ledger.runs["r"], deadline=time.time() - 1)
            self.ledger.runs["r"] = late

    @property
    def rows(self) -> dict[Key, Any]:
        return {(row.node, row.iter): row for row in self.ledger.runs["r"].steps}

    def reached(self) -> list[Key]:
        """The Undo steps that were reached, first ones first."""
        armed = {
            key: msgspec.json.decode(row.output, type=Armed).order
            for key, row in self.rows.items()
            if row.effect == "undo" and row.output is not None
        }
        return sorted(armed, key=lambda key: armed[key])

    def answers(self) -> list[str]:
        return [event["output"]["text"] for event in self.ledger.events["r"] if event["type"] == "run.answered"]


def undoing(key: Key) -> Key:
    """The step behind an Undo step."""
    head, slash, last = key[0].rpartition("/")
    return f"{head}{slash}no{last[1:]}", key[1]


def undone() -> list[Key]:
    return list(dict.fromkeys(key for name, key in calls if name == "no"))


def agrees(world: World, outcome: Any, expected: Played) -> None:
    """A run that went through did all that the reference says, and nothing else."""
    rows = {key: row.status for key, row in world.rows.items() if row.effect != "undo"}
    sure = {
        key: status
        for key, status in expected.status.items()
        if not any(key[0].startswith(beginning) for beginning in expected.loose)
    }
    assert {key: rows.get(key) for key in sure} == sure
    assert world.answers() == ([expected.answer] if expected.answer is not None else [])
    assert undone() == []
    for i, out in enumerate(expected.outs):
        if "text" in out and (shown := outcome.outputs.get(f"n{i}t") or outcome.outputs[f"n{i}"]) is not None:
            assert shown.text == out["text"]


def undid(world: World, expected: Played) -> None:
    """A run that ended otherwise took back what it had reached, last first, and nothing else."""
    reached = world.reached()
    assert set(reached) <= expected.undos
    assert undone() == [undoing(key) for key in reversed(reached)]
    done = {key: row.status for key, row in world.rows.items() if row.status == "succeeded" and row.effect != "undo"}
    assert all(expected.status[key] == "succeeded" for key in done if key in expected.status)
    assert len(world.answers()) <= 1


some_vars = st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["1", "2"]))
some_deaths = st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=3)


BOTH_FAIL = Whole(
    [
        Part(
            "call",
            inner=Whole(
                [
                    Part("in"),
                    Part(m=[(0, "text")], fails=True, on_error="stop", variable="b", keeps=True),
                    Part(
                        "call", inner=Whole([Part("in"), Part(fails=True, on_error="stop", variable="b", keeps=True)])
                    ),
                ]
            ),
        )
    ]
)
"""A call is called off at the very moment in which what it called fails by itself."""


@SIZE
@example(BOTH_FAIL, {}, [], "")
@given(wholes(), some_vars, some_deaths, st.sampled_from(["", "", "cancelled", "failed"]))
def test_whole_flows_do_what_the_reference_says_whatever_happens_to_them(
    whole: Whole, vars: dict[str, str], deaths: list[tuple[int, bool]], cut: str
):
    calls.clear()
    world = World(plans(whole), deaths, store := MemoryKeeping())
    expected = play(whole, "-", vars)
    outcome = asyncio.run(world.finish(vars, cut))
    if cut and world.slept:
        assert outcome.status in ("failed", cut)
        undid(world, expected)
    elif expected.stops:
        assert outcome.status == "failed"
        undid(world, expected)
    else:
        assert outcome.status == "succeeded", outcome.fault
        agrees(world, outcome, expected)
        if not expected.loose:
            again(whole, vars, store, expected)


def again(whole: Whole, vars: dict[str, str], store: MemoryKeeping, expected: Played) -> None:
    """A second run comes to the same, and calls no step whose result was kept."""
    calls.clear()
    world = World(plans(whole), [], store)
    outcome = asyncio.run(world.finish(vars))
    agrees(world, outcome, expected)
    kept = {
        key
        for flow in flows_in(whole)
        for i, part in enumerate(flow.parts)
        if part.keeps and not part.fails and (not part.variable or part.variable in vars)
        for key in [f"f{flow.number}.{i}"]
    }
    assert not kept & {name for name, _ in calls}


def flows_in(whole: Whole) -> Iterator[Whole]:
    yield whole
    for part in whole.parts:
        if part.inner is not None:
            yield from flows_in(part.inner)


@SIZE
@given(wholes("express"), some_vars)
def test_whole_flows_of_the_express_lane_do_what_the_reference_says(whole: Whole, vars: dict[str, str]):
    calls.clear()
    made = plans(whole, "express")
    expected = play(whole, "-", vars)

    async def flow_of(facts: RunFacts, version: str) -> Plan:
        return made[int(version)]

    record = asyncio.run(run_express(made[0], {}, context=RunFacts("r", vars=vars), flow_of=flow_of))
    assert record.status == ("failed" if expected.stops else "succeeded"), record.fault
    if not expected.stops:
        rows = {(row.node, row.iter): row.status for row in record.steps}
        loose = tuple(expected.loose)
        sure = {key: status for key, status in expected.status.items() if not loose or not key[0].startswith(loose)}
        assert {key: rows.get(key) for key in sure} == sure
        answer = next((row.output for row in record.steps if row.node == "out" and row.status == "succeeded"), None)
        assert (answer.text if answer is not None else None) == expected.answer, answer


def _any(holds: Callable[[Part], bool]) -> Callable[[Whole], bool]:
    return lambda whole: any(holds(part) for part in all_parts(whole))


MAKES: dict[str, Callable[[Whole], bool]] = {
    "a flow called by one that is called": lambda whole: any(_any(lambda p: p.kind == "call")(f) for f in inner(whole)),
    "rounds of a flow that waits": _any(
        lambda p: p.kind == "each" and p.rounds > 1 and p.inner is not None and _any(lambda q: q.waits)(p.inner)
    ),
    "rounds of a flow that has something to undo": _any(
        lambda p: p.kind == "each" and p.rounds > 1 and p.inner is not None and bool(p.inner.undone)
    ),
    "an early answer": lambda whole: whole.answers is not None,
    "a variable": _any(lambda p: bool(p.variable) and not p.fails),
    "a result that is kept after a second try": _any(lambda p: p.keeps and p.tries > 0 and not p.fails),
    "something to undo when a later step fails": lambda whole: bool(whole.undone) and play(whole, "-", {}).stops,
}


FOUND = settings(max_examples=2_000, database=None, phases=[Phase.generate])


def inner(whole: Whole) -> Iterator[Whole]:
    return (flow for flow in flows_in(whole) if flow is not whole)


@pytest.mark.parametrize("what", MAKES)
def test_each_of_these_is_among_what_is_made(what):
    assert MAKES[what](find(wholes(), MAKES[what], settings=FOUND))
