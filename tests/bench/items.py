"""A For each over 100,000 items in the durable lane: what the worker's memory is at most, and how fast it is.

`items.100000.*`: the engine alone, with a ledger that forgets what it is told. `items.postgres.*`: a real worker with
PostgreSQL, killed (-9) in the middle; `again` counts finished items that were done a second time after that.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from app import config
from app.db import system_tx
from app.runs import service
from app.runs.values import whole
from flows.model import Edge, Flow, NodeUse
from tests.bench.bed import ROOT, bed
from tests.bench.figure import Figure
from tests.factories.runs import a_version

ITEMS = 100_000
MEMORY_GOAL_MB = 250.0

PROGRAM = f"""
import asyncio, json, resource, time
from flows.catalogue import load
from flows.compile import compile
from flows.ledger import MemoryLedger
from flows.model import Edge, Flow, NodeUse
from flows.run import Engine

class Forgets(MemoryLedger):
    async def write(self, claim, steps=(), run=None, events=(), used=()):
        await super().write(claim, (), run, (), used)
    async def keep(self, claim, values):
        pass

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
    engine = Engine(catalogue, ledger)
    outcome = await engine.advance(ledger.claim("r"), compile(flow, catalogue))
    assert outcome.status == "succeeded", outcome.fault
    assert len(outcome.outputs["each"].results) == {ITEMS}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps([peak, {ITEMS} / (time.perf_counter() - began)]))

asyncio.run(main())
"""

WIRES = "in.input>rows.source rows.value>each.items each.item>a.item a.object>each.result each.results>answer.data"
FLOW = Flow(
    [
        NodeUse("in", "start.api"),
        NodeUse("rows", "data.json", settings={"path": "rows"}),
        NodeUse("each", "logic.each", settings={"limit": ITEMS, "at_once": 8, "on_item_error": "collect"}),
        NodeUse(
            "a", "data.set", parent="each", settings={"fields": [{"name": "customer", "text": "number {{ item }}"}]}
        ),
        NodeUse("answer", "show.answer"),
    ],
    [Edge(*wire.split(">")) for wire in WIRES.split()],
    name="100,000 items",
)


def figures() -> Iterator[Figure]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    peak, speed = json.loads(done.stdout)
    yield Figure("items.100000.memory", peak, "MB", MEMORY_GOAL_MB)
    yield Figure("items.100000.rounds", speed, "rounds/s")
    first, second, speed, again = uvloop.run(killed_in_the_middle(ITEMS))
    yield Figure("items.postgres.memory", max(first, second), "MB", MEMORY_GOAL_MB)
    yield Figure("items.postgres.memory.resumed", second, "MB", MEMORY_GOAL_MB)
    yield Figure("items.postgres.rounds", speed, "rounds/s")
    yield Figure("items.postgres.again", again, "items", 0.0)


async def killed_in_the_middle(items: int) -> tuple[float, float, float, int]:
    """MB of the worker before and after kill -9, rounds a second of working time, items done again.

    Raises AssertionError when the results are not all there, in order.
    """
    async with bed(web=False) as laid:
        workspace, _, version = await a_version(FLOW)
        run = await service.start(workspace, version, {"rows": list(range(items))}, trigger="api")
        took = time.perf_counter()
        worker = _worker(laid.folder)
        await _rounds(run, items // 2)
        first = _peak(worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        took = time.perf_counter() - took
        async with system_tx("bench") as tx:
            await tx.execute("update worker set heartbeat_at = now() - interval '1 hour'")  # its lease is over
            done = await tx.fetchval(DONE, run)
            last = await tx.fetchval("select max(seq) from run_event where run_id = $1", run)
        began = time.perf_counter()
        worker = _worker(laid.folder)
        row, second = await _end(run, worker.pid)
        took += time.perf_counter() - began
        worker.terminate()
        worker.wait()
        assert row["status"] == "succeeded", row["error"]
        async with system_tx("bench") as tx:
            again = await tx.fetchval(AGAIN, run, last)
            total = await tx.fetchval(DONE, run)
            output = await tx.fetchval("select output::text from node_exec where run_id = $1 and node_id = 'each'", run)
        assert done >= items // 2 and total == items, (done, total)
        results = (await whole(workspace, run, json.loads(output)))["results"]
        assert [each["customer"] for each in results] == [f"number {i}" for i in range(items)]
        return first, second, items / took, again


DONE = "select count(*) from node_exec where run_id = $1 and node_id = 'a' and status = 'succeeded'"
AGAIN = """
with said as (select seq, type, payload->>'iter' as iter from run_event where run_id = $1 and payload->>'node' = 'a')
select count(*) from (
    select iter from said where seq <= $2 and type = 'step.succeeded'
    intersect
    select iter from said where seq > $2 and type = 'step.started') again
"""


def _worker(folder: Path) -> "subprocess.Popen[bytes]":
    log = (folder / "worker.log").open("ab")
    line = [sys.executable, "-m", "app.cli", "worker"]
    environment = config.environment(config.settings())
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=log)


def _peak(pid: int) -> float:
    """MB that the process had in memory at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def _rounds(run: UUID, number: int) -> None:
    while True:
        await asyncio.sleep(0.2)
        async with system_tx("bench") as tx:
            if await tx.fetchval(DONE, run) >= number:
                return


async def _end(run: UUID, pid: int) -> tuple[Any, float]:
    while True:
        await asyncio.sleep(0.2)
        peak = _peak(pid)
        async with system_tx("bench") as tx:
            row = await tx.fetchrow("select status, error::text as error from run where id = $1", run)
        if row["status"] not in ("queued", "running"):
            return row, peak
