"""A Python code step behind the webhook route, express lane, with the durable record; what the sandbox itself costs.

One web process; the load comes from this one. `baseline` is the goal of issue 3 (n8n's Code node: 32, Flowise's: 66).
"""

import statistics
import time
from collections.abc import Iterator

import uvloop

from flows.host.frames import Call
from flows.host.pool import Pool
from flows.model import Edge, Flow, NodeUse
from tests.bench.bed import bed
from tests.bench.figure import Figure
from tests.bench.hooks import BODY, address
from tests.bench.load import Measured, hammer
from tests.factories.runs import a_version

GOAL = 1_000.0
AT = (1, 16)
SECONDS = 4.0
CODE = """\
names = [item.title() for item in body["items"]]
return {"order": body["order"], "names": names, "greeting": f"Hello {body['name']}"}
"""
FLOW = Flow(
    [
        NodeUse("start", "start.webhook"),
        NodeUse("code", "code.python", settings={"code": CODE, "inputs": [{"name": "body", "kind": "any"}]}),
        NodeUse("answer", "show.answer"),
    ],
    [Edge("start.body", "code.body"), Edge("code.result", "answer.data")],
)


def figures() -> Iterator[Figure]:
    alone, start, change = uvloop.run(_alone())
    yield Figure("code.call", alone, "us")
    yield Figure("code.child_start", start, "ms")
    yield Figure("code.workspace_change", change, "ms")
    for concurrency, one in uvloop.run(_measure()).items():
        yield Figure(f"code.hooks.c{concurrency}.rate", one.rate, "1/s", GOAL if concurrency == 16 else None)
        yield Figure(f"code.hooks.c{concurrency}.p50", one.p50, "ms")
        yield Figure(f"code.hooks.c{concurrency}.p95", one.p95, "ms")


async def _alone() -> tuple[float, float, float]:
    """(microseconds of a call, milliseconds until a first child answers, milliseconds to change the workspace)."""
    pool = Pool(1)
    call = Call("run", CODE, {"body": {"order": 1, "name": "Mara", "items": ["tomato feed", "seed tray"]}})
    began = time.perf_counter()
    await pool.run(call, "a")
    start = time.perf_counter() - began
    times = []
    for _ in range(2_000):
        began = time.perf_counter()
        await pool.run(call, "a")
        times.append(time.perf_counter() - began)
    changes = []
    for i in range(20):
        began = time.perf_counter()
        await pool.run(call, f"w{i}")
        changes.append(time.perf_counter() - began)
    pool.close()
    return statistics.median(times) * 1e6, start * 1e3, statistics.median(changes) * 1e3


async def _measure() -> dict[int, Measured]:
    async with bed() as it:
        workspace, flow, _ = await a_version(FLOW)
        path = await address(workspace, flow)
        await hammer(it.port, path, BODY, connections=8, seconds=1.0)
        return {c: await hammer(it.port, path, BODY, connections=c, seconds=SECONDS) for c in AT}
