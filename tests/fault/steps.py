"""Steps that touch the outside world of these tests, and the flows made of them."""

import asyncio
import json
import os
from typing import Any

from msgspec import Struct

from flows.catalogue import load
from flows.model import Edge, Flow, NodeUse
from flows.sdk import Context, node

PORT = [0]
"""Of the effect server; set in each process that runs steps."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`seconds`: work before the call, and as much after it."""

    seconds: float = 0.05


class Value(Struct, frozen=True):
    value: Any = None


async def _call(kind: str, settings: Settings, ctx: Context) -> None:
    await asyncio.sleep(settings.seconds / 2)
    call = {
        "kind": kind,
        "key": ctx.idempotency_key,
        "run": ctx.run_id,
        "node": ctx.node_id,
        "attempt": ctx.attempt,
        "pid": os.getpid(),
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT[0])
    writer.write(json.dumps(call).encode() + b"\n")
    await writer.drain()
    await reader.readline()
    writer.close()
    await asyncio.sleep(settings.seconds / 2)


@node("fault.idem", version=1, title="Effect with a key", effect="idempotent")
async def idem(settings: Settings, inputs: Value, ctx: Context) -> Value:
    await _call("idem", settings, ctx)
    return Value(inputs.value)


@node("fault.once", version=1, title="Effect without a key", effect="at_most_once")
async def once(settings: Settings, inputs: Value, ctx: Context) -> Value:
    await _call("raw", settings, ctx)
    return Value(inputs.value)


def install(port: int) -> None:
    PORT[0] = port
    load().update({"fault.idem": idem, "fault.once": once})


def five_steps(seconds: float, *, risky: bool) -> Flow:
    """A start step, four effects one after the other, an answer. `risky`: the third effect must not happen twice."""
    nodes = [NodeUse("start", "start.api")]
    edges: list[Edge] = []
    last = "start.input"
    for i in range(4):
        kind = "fault.once" if risky and i == 2 else "fault.idem"
        nodes.append(NodeUse(f"e{i}", kind, settings={"seconds": round(seconds * (0.5 + i * 0.33), 3)}))
        edges.append(Edge(last, f"e{i}.value"))
        last = f"e{i}.value"
    nodes.append(NodeUse("answer", "show.answer"))
    edges.append(Edge(last, "answer.data"))
    return Flow(nodes, edges, name="five steps")
