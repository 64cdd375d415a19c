"""A For each over 100,000 items in the durable lane: what the worker's memory grows by, and how fast it is.

The ledger here forgets what it is told, so that what is measured is the engine and not a ledger in memory.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figure import Figure

ITEMS = 100_000
MEMORY_GOAL_MB = 250.0

PROGRAM = f"""
import asyncio, json, resource, time
from flows.catalogue import load
from flows.compile import compile
from flows.ledger import MemoryLedger
from flows.limits import Limits
from flows.model import Edge, Flow, NodeUse
from flows.run import Engine

class Forgets(MemoryLedger):
    async def write(self, claim, steps=(), run=None, events=(), used=()):
        await super().write(claim, (), run, (), used)

flow = Flow(
    [NodeUse("in", "start.api"), NodeUse("rows", "data.json", settings={{"path": "rows"}}),
     NodeUse("each", "logic.each", settings={{"limit": {ITEMS}, "at_once": 8, "on_item_error": "collect"}}),
     NodeUse("a", "data.json", parent="each"), NodeUse("b", "data.json", parent="each")],
    [Edge(*wire.split(">")) for wire in
     "in.input>rows.source rows.value>each.items each.item>a.source a.value>b.source b.value>each.result".split()])

async def main():
    catalogue, ledger = load(), Forgets()
    rows = [{{"name": f"customer {{i}}", "mail": f"c{{i}}@example.org"}} for i in range({ITEMS})]
    ledger.open("r", {{"rows": rows}}, trigger="api")
    began = time.perf_counter()
    engine = Engine(catalogue, ledger, limits=Limits(output_bytes=64 << 20))
    outcome = await engine.advance(ledger.claim("r"), compile(flow, catalogue))
    assert outcome.status == "succeeded", outcome.fault
    assert len(outcome.outputs["each"].results) == {ITEMS}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps([peak, {ITEMS} / (time.perf_counter() - began)]))

asyncio.run(main())
"""


def figures() -> Iterator[Figure]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    peak, speed = json.loads(done.stdout)
    yield Figure("items.100000.memory", peak, "MB", MEMORY_GOAL_MB)
    yield Figure("items.100000.rounds", speed, "rounds/s")
