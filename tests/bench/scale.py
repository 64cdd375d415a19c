"""How an installation grows: a simulation to 10,000 runs a second, from what one run was measured to cost.

    make bench ARGS=scale        measures tests/bench/cost.py first, so about a minute

Runs arrive at random (Poisson). One run is a job for one of the web processes (or workers), then for one of
PostgreSQL's cores, then it waits for the disk: a commit, shared with all that commit in the same moment. Each queue is
first come, first served. The plan gives every part so many processes or cores that it is busy BUSY of its time.

`scale.one_machine`: the same model with one web process and sixteen callers that wait for their answer, beside the rate
that was measured so: how far the model can be trusted.
"""

import math
import random
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import simpy
import uvloop
from msgspec import Struct

from tests.bench import cost
from tests.bench.cost import Cost
from tests.bench.figure import Figure

ONLY_WHEN_NAMED = True
RATES = (100, 1_000, 10_000)
BUSY = 0.6
DISK_S = 0.0007
"""One commit on this machine's disk: what the record adds to a call that is alone (docs/benchmarks.md)."""
SIMULATED_RUNS = 30_000
CALLERS = 16


class Plan(Struct, frozen=True):
    """`heads`: web processes or workers; `cores`: of PostgreSQL. `wal`: bytes a second."""

    heads: int
    cores: int
    wal: float


class Seen(Struct, frozen=True):
    """`rate` per second; times in milliseconds."""

    rate: float
    p50: float
    p99: float


def figures() -> Iterator[Figure]:
    costs, rate = uvloop.run(cost.measured()), uvloop.run(cost.rate_alone())
    express = costs["express_10"]
    yield Figure("scale.one_machine.simulated", _closed(express), "1/s", rate)
    for name, heads in (("express_10", express.web), ("durable_10", costs["durable_10"].worker)):
        for rate in RATES:
            plan = planned(rate, heads, costs[name])
            seen = simulated(rate, heads, costs[name].postgres, plan)
            here = f"scale.{name}.{rate}"
            yield Figure(f"{here}.processes", plan.heads, "1")
            yield Figure(f"{here}.postgres_cores", plan.cores, "1")
            yield Figure(f"{here}.wal", plan.wal / 1e6, "MB/s")
            yield Figure(f"{here}.p50", seen.p50, "ms")
            yield Figure(f"{here}.p99", seen.p99, "ms")


def planned(rate: float, head_us: float, cost: Cost) -> Plan:
    def enough(micros: float) -> int:
        return max(1, math.ceil(rate * micros / 1e6 / BUSY))

    return Plan(enough(head_us), enough(cost.postgres), rate * cost.wal)


def simulated(rate: float, head_us: float, postgres_us: float, plan: Plan) -> Seen:
    """Open arrivals: nobody waits for an answer before the next one comes."""
    chance = random.Random(1)
    env = simpy.Environment()
    took: list[float] = []
    run = _part(env, chance, head_us, postgres_us, plan, took)

    def arrivals() -> Any:
        for _ in range(SIMULATED_RUNS):
            yield env.timeout(chance.expovariate(rate))
            env.process(run())

    env.process(arrivals())
    env.run()
    return _seen(took, env.now)


def _closed(express: Cost) -> float:
    """Runs a second with CALLERS that each wait for their answer, one web process and what is left for PostgreSQL."""
    chance = random.Random(1)
    env = simpy.Environment()
    took: list[float] = []
    run = _part(env, chance, express.web, express.postgres, Plan(1, 1, 0), took)

    def caller() -> Any:
        while len(took) < SIMULATED_RUNS:
            yield env.process(run())

    for _ in range(CALLERS):
        env.process(caller())
    env.run()
    return _seen(took, env.now).rate


def _part(
    env: simpy.Environment, chance: random.Random, head_us: float, postgres_us: float, plan: Plan, took: list[float]
) -> Callable[[], Any]:
    heads = [simpy.Resource(env) for _ in range(plan.heads)]  # a request stays with the process that took it
    cores = simpy.Resource(env, plan.cores)

    def run() -> Any:
        began = env.now
        head = chance.choice(heads)
        with head.request() as turn:
            yield turn
            yield env.timeout(chance.expovariate(1e6 / head_us))
        with cores.request() as turn:
            yield turn
            yield env.timeout(chance.expovariate(1e6 / postgres_us))
        yield env.timeout(DISK_S)
        took.append(env.now - began)

    return run


def _seen(took: list[float], seconds: float) -> Seen:
    cuts = statistics.quantiles(took, n=100)
    return Seen(len(took) / seconds, cuts[49] * 1000, cuts[98] * 1000)
