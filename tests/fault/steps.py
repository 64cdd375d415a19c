"""Steps that touch the outside world of these tests, and the flows made of them."""

import asyncio
import json
import os
import signal
import time
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


async def told(kind: str, ctx: Context, **more: Any) -> dict[str, Any]:
    """One call of the outside world: its answer."""
    call = {
        "kind": kind,
        "key": ctx.idempotency_key,
        "run": ctx.run_id,
        "node": ctx.node_id,
        "attempt": ctx.attempt,
        "pid": os.getpid(),
        **more,
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT[0])
    writer.write(json.dumps(call).encode() + b"\n")
    await writer.drain()
    answer: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return answer


async def _call(kind: str, settings: Settings, ctx: Context) -> None:
    await asyncio.sleep(settings.seconds / 2)
    await told(kind, ctx)
    await asyncio.sleep(settings.seconds / 2)


@node("fault.idem", version=1, title="Effect with a key", effect="idempotent")
async def idem(settings: Settings, inputs: Value, ctx: Context) -> Value:
    await _call("idem", settings, ctx)
    return Value(inputs.value)


@node("fault.once", version=1, title="Effect without a key", effect="at_most_once")
async def once(settings: Settings, inputs: Value, ctx: Context) -> Value:
    await _call("raw", settings, ctx)
    return Value(inputs.value)


@node("fault.poison", version=1, title="Ends its process", effect="idempotent")
async def poison(settings: Settings, inputs: Value, ctx: Context) -> Value:
    """Tells the world that it began, then takes the process with it, as a broken library does."""
    await told("start", ctx)
    await asyncio.sleep(settings.seconds)
    os.kill(os.getpid(), signal.SIGSEGV)
    return Value(inputs.value)


@node("fault.block", version=1, title="Holds the loop", effect="idempotent")
async def block(settings: Settings, inputs: Value, ctx: Context) -> Value:
    """Computes without ever letting go of the event loop; the first time only."""
    answer = await told("start", ctx)
    if answer["times"] == 1:
        end = time.monotonic() + settings.seconds
        while time.monotonic() < end:
            pass
    return Value(inputs.value)


@node("fault.deaf", version=1, title="Does not hear", effect="idempotent")
async def deaf(settings: Settings, inputs: Value, ctx: Context) -> Value:
    """Swallows every cancellation for `seconds`."""
    await told("start", ctx)
    end = time.monotonic() + settings.seconds
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue
    await told("end", ctx)
    return Value(inputs.value)


@node("fault.hog", version=1, title="Takes memory", effect="idempotent")
async def hog(settings: Settings, inputs: Value, ctx: Context) -> Value:
    """Fills memory until somebody ends the process."""
    await told("start", ctx)
    taken = []
    while True:
        taken.append(bytearray(64 << 20))
        await asyncio.sleep(0)


NODES = {node.name: node for node in (idem, once, poison, block, deaf, hog)}


def install(port: int) -> None:
    PORT[0] = port
    load().update(NODES)


def five_steps(seconds: float, *, risky: bool) -> Flow:
    """A start step, four effects one after the other, an answer. `risky`: the third effect must not happen twice."""
    kinds = ["fault.idem", "fault.idem", "fault.once" if risky else "fault.idem", "fault.idem"]
    return chain(*((kind, round(seconds * (0.5 + i * 0.33), 3)) for i, kind in enumerate(kinds)))


def chain(*kinds: tuple[str, float], name: str = "") -> Flow:
    """A start step, one step after the other (type, seconds), an answer."""
    nodes, edges, last = [NodeUse("start", "start.api")], [], "start.input"
    for i, (kind, seconds) in enumerate(kinds):
        nodes.append(NodeUse(f"e{i}", kind, settings={"seconds": seconds}))
        edges.append(Edge(last, f"e{i}.value"))
        last = f"e{i}.value"
    nodes.append(NodeUse("answer", "show.answer"))
    edges.append(Edge(last, "answer.data"))
    return Flow(nodes, edges, name=name or f"{len(kinds)} steps")


def resting(seconds: float) -> Flow:
    """An effect, a wait, another effect."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("e0", "fault.idem", settings={"seconds": 0.02}),
            NodeUse("rest", "logic.wait", settings={"amount": seconds, "unit": "seconds"}),
            NodeUse("e1", "fault.idem", settings={"seconds": 0.02}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("start.input", "e0.value"), Edge("e0.value", "rest.value"),
            Edge("rest.value", "e1.value"), Edge("e1.value", "answer.data"),
        ],
        name="resting",
    )  # fmt: skip


def pausing() -> Flow:
    """Nothing but the product's own steps: the web process does not have those of these tests."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("rest", "logic.wait", settings={"amount": 0.1, "unit": "seconds"}),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.input", "rest.value"), Edge("rest.value", "answer.data")],
        name="pausing",
    )


def asking() -> Flow:
    """An effect, a person who is asked, another effect."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("e0", "fault.idem", settings={"seconds": 0.02}),
            NodeUse("ask", "people.approval", settings={"title": "May it go on?"}),
            NodeUse("e1", "fault.idem", settings={"seconds": 0.02}),
            NodeUse("answer", "show.answer"),
        ],
        [
            Edge("start.input", "e0.value"), Edge("e0.value", "ask.value"),
            Edge("ask.approved", "e1.value"), Edge("e1.value", "answer.data"),
        ],
        name="asking",
    )  # fmt: skip


def code(text: str, engine: str = "safe", **settings: Any) -> Flow:
    """Nothing but somebody's Python."""
    return Flow(
        [
            NodeUse("start", "start.api"),
            NodeUse("code", "code.python", settings={"code": text, "engine": engine, **settings}),
            NodeUse("answer", "show.answer"),
        ],
        [Edge("start.input", "code.value"), Edge("code.result", "answer.data")],
        name=f"code, {engine}",
    )
