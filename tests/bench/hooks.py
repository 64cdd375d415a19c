"""The webhook route, express lane, with the durable record: chains of 1, 10, 50 nodes and 1 → 100 → join.

One web process with a core of its own; the load comes from this one, which shares the other cores with PostgreSQL.
Goals (baselines.json): what Node-RED 5 does without any record on this class of machine, times 1, 2 and 3.5; twice its
fan-out.
`cpu` is the web process's own CPU time a request: it tells a slow machine from slow code.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import uvloop

from app.db import tenant_tx
from app.embedded.folder import free_port
from app.runs import hooks, running
from app.runs.versions import token
from flows.ledger.commit import ExpressRow
from flows.model import Edge, Flow, NodeUse
from tests.bench.bed import bed
from tests.bench.cores import server_alone
from tests.bench.figure import Figure
from tests.bench.load import Measured, hammer
from tests.factories.runs import a_chain, a_version

BODY = b'{"order": 204117, "name": "Mara Fern", "items": ["tomato feed", "seed tray"]}'
AT = (1, 16, 64)
SECONDS = 3.0
ALONE = 400
MANY = 10_000
ROOT = Path(__file__).parents[2]


def figures() -> Iterator[Figure]:
    bare = uvloop.run(_bare())
    yield Figure("hooks.bare_server.c16.rate", bare.rate, "1/s")
    yield Figure("hooks.bare_server.c16.load_cpu", bare.cpu, "us")
    yield from uvloop.run(_measure(bare))


def flow_of(nodes: int) -> Flow:
    """A webhook step that ends in an answer step; "1 node" is the answer alone behind the door."""
    if nodes > 1:
        return a_chain(nodes)
    return Flow(
        [NodeUse("start", "start.webhook"), NodeUse("answer", "show.answer")], [Edge("start.body", "answer.data")]
    )


def fan_out(width: int = 100) -> Flow:
    nodes = [NodeUse("start", "start.webhook"), NodeUse("join", "logic.join"), NodeUse("answer", "show.answer")]
    edges = [Edge("join.first", "answer.data")]
    for i in range(width):
        nodes.append(NodeUse(f"s{i}", "data.set", settings={"fields": [{"name": "n", "text": str(i)}]}))
        edges += [Edge("start.body", f"s{i}.object"), Edge(f"s{i}.object", "join.values_in")]
    return Flow(nodes, edges, name="fan out")


FLOWS = {
    "hooks.express_1": flow_of(1),
    "hooks.express_10": flow_of(10),
    "hooks.express_50": flow_of(50),
    "hooks.fan_out_100": fan_out(),
}


async def address(workspace: Any, flow: Any) -> str:
    async with tenant_tx(workspace) as tx:
        row = await tx.fetchrow("select id, token_round from trigger where flow_id = $1", flow)
    return f"/hooks/{token(row['id'], row['token_round'])}"


async def _bare() -> Measured:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.bench.bare_server", str(port)], cwd=ROOT) as server:
        try:
            _until_open(port)
            server_alone(server.pid)
            await hammer(port, "/", BODY, connections=8, seconds=0.5)
            return await hammer(port, "/", BODY, connections=16, seconds=SECONDS)
        finally:
            server.terminate()


async def _measure(bare: Measured) -> list[Figure]:
    found = []
    async with bed() as it:
        web = psutil.Process(it.pids[0])
        server_alone(web.pid)
        alone: dict[str, float] = {}
        for name, flow in FLOWS.items():
            workspace, id, _ = await a_version(flow)
            path = await address(workspace, id)
            await hammer(it.port, path, BODY, connections=8, seconds=1.0)
            for concurrency in AT:
                busy = sum(web.cpu_times()[:2])
                one = await hammer(it.port, path, BODY, connections=concurrency, seconds=SECONDS)
                cpu = (sum(web.cpu_times()[:2]) - busy) / (one.rate * SECONDS) * 1e6
                here = f"{name}.c{concurrency}"
                found.append(Figure(f"{here}.rate", one.rate, "1/s"))
                found += [Figure(f"{here}.{part}", getattr(one, part), "ms") for part in ("p50", "p95", "p99")]
                found.append(Figure(f"{here}.cpu", cpu, "us"))
                if concurrency == 1:
                    alone[name] = one.p50
                if here == "hooks.express_1.c16":
                    found.append(Figure("hooks.load_share.c16", one.rate / bare.rate, "of the bare server"))
            if name == "hooks.express_10":
                found.append(Figure("hooks.rss_growth", await _growth(it.port, path, web), "MB"))
            if name == "hooks.express_1":
                added = await _added(path)
                found.append(Figure("hooks.record.added_p50", added, "ms"))
                found.append(Figure("hooks.unrecorded_1.c1.p50", max(0.0, alone[name] - added), "ms"))
    return found


async def _growth(port: int, path: str, web: psutil.Process) -> float:
    """MB that the web process holds more after MANY requests; it is warm already."""
    before, left = web.memory_info().rss, MANY
    while left > 0:
        left -= int((await hammer(port, path, BODY, connections=16, seconds=1.0)).rate)
    return float(web.memory_info().rss - before) / 1e6


async def _added(path: str) -> float:
    """What the record adds to a call that is alone, ms: the route in this process, with and without the commit.

    The two take turns, so that a busy moment of the machine hits both alike.
    """
    with_record, without = [], []
    commits = running.host().commits
    real = commits.commit

    async def unrecorded(row: ExpressRow) -> None:
        return None

    for i in range(ALONE):
        for times, commit in ((with_record, real), (without, unrecorded)):
            commits.commit = commit  # type: ignore[method-assign, assignment]
            began = time.perf_counter()
            await _call(path)
            if i >= ALONE // 10:
                times.append((time.perf_counter() - began) * 1000)
    commits.commit = real  # type: ignore[method-assign]
    return statistics.median(with_record) - statistics.median(without)


async def _call(path: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise AssertionError(message)

    size = str(len(BODY)).encode()
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", size)]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await hooks.hook(scope, receive, send)


def _until_open(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        except OSError:
            os.sched_yield()
    raise RuntimeError("the bare server did not start")
