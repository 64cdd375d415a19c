"""The webhook route, express lane, with the durable record: 1, 10, 50 nodes at concurrency 1, 16, 64.

One web process; the load comes from this one. `baseline` at concurrency 16 is the goal of issue 2 (10 nodes) and what
Node-RED 5 does without any record on this class of machine (1 and 50 nodes).
"""

from collections.abc import Iterator
from typing import Any

import uvloop

from app.db import tenant_tx
from app.runs.versions import token
from flows.model import Edge, Flow, NodeUse
from tests.bench.bed import bed
from tests.bench.figure import Figure
from tests.bench.load import Measured, hammer
from tests.factories.runs import a_chain, a_version

BODY = b'{"order": 204117, "name": "Mara Fern", "items": ["tomato feed", "seed tray"]}'
GOALS = {1: 11_100.0, 10: 5_000.0, 50: 1_590.0}
AT = (1, 16, 64)
SECONDS = 3.0


def figures() -> Iterator[Figure]:
    for nodes, by_concurrency in uvloop.run(_measure()).items():
        for concurrency, one in by_concurrency.items():
            name = f"hooks.express_{nodes}.c{concurrency}"
            yield Figure(f"{name}.rate", one.rate, "1/s", GOALS[nodes] if concurrency == 16 else None)
            yield Figure(f"{name}.p50", one.p50, "ms")
            yield Figure(f"{name}.p95", one.p95, "ms")


def flow_of(nodes: int) -> Flow:
    """A webhook step that ends in an answer step; "1 node" is the answer alone behind the door."""
    if nodes > 1:
        return a_chain(nodes)
    return Flow(
        [NodeUse("start", "start.webhook"), NodeUse("answer", "show.answer")], [Edge("start.body", "answer.data")]
    )


async def address(workspace: Any, flow: Any) -> str:
    async with tenant_tx(workspace) as tx:
        row = await tx.fetchrow("select id, token_round from trigger where flow_id = $1", flow)
    return f"/hooks/{token(row['id'], row['token_round'])}"


async def _measure() -> dict[int, dict[int, Measured]]:
    found: dict[int, dict[int, Measured]] = {}
    async with bed() as it:
        for nodes in GOALS:
            workspace, flow, _ = await a_version(flow_of(nodes))
            path = await address(workspace, flow)
            await hammer(it.port, path, BODY, connections=8, seconds=1.0)
            found[nodes] = {c: await hammer(it.port, path, BODY, connections=c, seconds=SECONDS) for c in AT}
    return found
