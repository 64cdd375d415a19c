"""Flows, versions and runs for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from app.db import tenant_tx
from app.runs import service
from flows.model import Edge, Flow, NodeUse
from flows.transport.protocol import LANES
from flows.worker import Worker
from flows.worker_timings import Timings
from tests.factories.kernel import a_workspace

QUICK = Timings(heartbeat=0.3, dead_after=1.0, sweep=0.2, renudge=1.0, watch_cancels=0.1, cancel_grace=1.0, drain=2.0)


def a_chain(steps: int, name: str = "chain", start: str = "start.webhook") -> Flow:
    """A start step, `steps` - 2 × data.set, show.answer: that many nodes in all, every one pure."""
    nodes, edges = [NodeUse("start", start)], []
    last = "start.body" if start == "start.webhook" else "start.input"
    for i in range(steps - 2):
        fields = [{"name": f"n{i % 3}", "text": str(i)}]
        nodes.append(NodeUse(f"s{i}", "data.set", settings={"fields": fields}))
        edges.append(Edge(last, f"s{i}.object"))
        last = f"s{i}.object"
    nodes.append(NodeUse("answer", "show.answer"))
    edges.append(Edge(last, "answer.data"))
    return Flow(nodes, edges, name=name)


def an_approval() -> Flow:
    """Waits for a person; the result is what was sent, when they approve."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("ask", "people.approval", settings={"title": "May it go out?"}),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.input", "ask.value"), Edge("ask.approved", "answer.data")],
        name="approval",
    )


async def a_version(
    flow: Flow, workspace_id: UUID | None = None, *, kind: str = "published"
) -> tuple[UUID, UUID, UUID]:
    """(workspace, flow, version) of a flow that is live."""
    workspace_id = workspace_id or await a_workspace()
    flow_id = uuid4()
    async with tenant_tx(workspace_id) as tx:
        version_id = await service.save_version(tx, workspace_id, flow_id, flow, "test", None, kind=kind)
    return workspace_id, flow_id, version_id


async def wait_for(workspace_id: UUID, run_id: UUID, *statuses: str, seconds: float = 10.0) -> Any:
    """The run's row as soon as it has one of these statuses."""
    async with asyncio.timeout(seconds):
        while True:
            async with tenant_tx(workspace_id) as tx:
                row = await tx.fetchrow("select * from run where id = $1", run_id)
            if row["status"] in statuses:
                return row
            await asyncio.sleep(0.02)


@asynccontextmanager
async def a_worker(**options: Any) -> AsyncIterator[Worker]:
    """A real worker in this event loop, beside the pools of the test."""
    from app.runs.working import assembled
    from app.worker import start_isolated

    async with assembled(timings=QUICK, lanes=LANES, start_isolated=start_isolated, **options) as worker:
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task
