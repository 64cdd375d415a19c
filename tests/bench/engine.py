"""Engine overhead in process, express lane. Run: make bench ARGS=engine

A node here adds 1 to a number: what is measured is all that is not the node. `baseline` is the goal of issue 2.
"""

import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from time import perf_counter

from msgspec import Struct

from flows.compile import PlanCache, check, compile
from flows.express import run_express
from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, node
from flows.sdk.context import RunFacts
from tests.bench.figure import Figure
from tests.bench.peers.langgraph import chain_us

GOAL_US = 20.0


class Nothing(Struct, frozen=True): ...


class Number(Struct, frozen=True):
    n: int = 0


class Sum(Struct, frozen=True):
    n: int = 0


@node("bench.one", version=1, title="One", effect="pure")
async def one(settings: Nothing, inputs: Number, ctx: Context) -> Number:
    return Number(inputs.n + 1)


@node("bench.task", version=1, title="One, after a breath", effect="pure")
async def task(settings: Nothing, inputs: Number, ctx: Context) -> Number:
    await asyncio.sleep(0)
    return Number(inputs.n + 1)


@node("bench.costed", version=1, title="One, on record", effect="idempotent")
async def costed(settings: Nothing, inputs: Number, ctx: Context) -> Number:
    return Number(inputs.n + 1)


CATALOGUE = {kind.name: kind for kind in (one, task, costed)}


def chain(length: int, kind: str = "bench.one") -> Flow:
    nodes = [NodeUse(f"n{i}", kind) for i in range(length)]
    return Flow(nodes, [Edge(f"n{i}.n", f"n{i + 1}.n") for i in range(length - 1)])


def fan_out(width: int) -> Flow:
    flow = chain(1)
    flow.nodes += [NodeUse(f"w{i}", "bench.one") for i in range(width)]
    flow.edges += [Edge("n0.n", f"w{i}.n") for i in range(width)]
    flow.nodes.append(NodeUse("end", "bench.one"))
    flow.edges += [Edge(f"w{i}.n", "end.after") for i in range(width)]
    return flow


def compiled(flow: Flow) -> Plan:
    plan = compile(flow, CATALOGUE)
    if not isinstance(plan, Plan):
        raise SystemExit(str(plan))
    return plan


async def express_us(flow: Flow, rounds: int, repeats: int = 7) -> float:
    """Median microseconds of one whole run, record included."""
    plan = compiled(flow)
    best = []
    for _ in range(repeats):
        began = perf_counter()
        for _ in range(rounds):
            await run_express(plan, {}, context=RunFacts("r"))
        best.append((perf_counter() - began) / rounds * 1e6)
    return statistics.median(best)


def figures() -> Iterator[Figure]:
    yield from asyncio.run(_measure())


async def _measure() -> list[Figure]:
    per_node = await express_us(chain(1000), 20) / 1000
    found = [Figure("engine.express.per_node", per_node, "us", GOAL_US)]
    for length in (1, 10, 50):
        found.append(Figure(f"engine.express.chain_{length}", await express_us(chain(length), 1000), "us"))
    found.append(Figure("engine.express.fan_out_100", await express_us(fan_out(100), 200), "us"))
    suspending = await express_us(chain(100, "bench.task"), 50) / 100
    found.append(Figure("engine.express.per_suspending_node", suspending, "us"))
    engine, flow = Engine(CATALOGUE, MemoryLedger()), chain(200, "bench.costed")
    began = perf_counter()
    for i in range(10):
        await engine.run(f"r{i}", flow)
    found.append(Figure("engine.durable_in_memory.per_node", (perf_counter() - began) / 2000 * 1e6, "us", 3000))
    return [*found, *_compiling(), *_langgraph(per_node)]


def _compiling() -> Iterator[Figure]:
    for size in (500, 1000):
        flow = chain(size)
        check(flow, CATALOGUE)
        yield Figure(f"engine.check_{size}", _best(lambda flow=flow: check(flow, CATALOGUE)) * 1e3, "ms", 50)
        goal = None if size == 500 else 50.0
        yield Figure(f"engine.compile_{size}", _best(lambda flow=flow: compile(flow, CATALOGUE)) * 1e3, "ms", goal)
    plans = PlanCache(CATALOGUE)
    plans.compile(chain(500), "version")
    yield Figure("engine.open_500", _best(lambda: plans.get("version")) * 1e3, "ms")


def _best(act: Callable[[], object], times: int = 5) -> float:
    took = []
    for _ in range(times):
        began = perf_counter()
        act()
        took.append(perf_counter() - began)
    return min(took)


def _langgraph(per_node: float) -> Iterator[Figure]:
    """The same chain there, in a process with its own packages. Ours as a part of it: at most a tenth is the goal."""
    theirs = chain_us()
    if theirs is None:
        print("engine: LangGraph could not be installed here, so it is not measured.", file=sys.stderr)
        return
    yield Figure("engine.langgraph.per_node", theirs, "us")
    yield Figure("engine.express.part_of_langgraph", per_node / theirs, "of its time", 0.1)


if __name__ == "__main__":
    for figure in figures():
        print(json.dumps(figure.line()))
