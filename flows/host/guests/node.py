"""The child of a node package that is not trusted: describes its node types, or runs one step, in a box (bubble.py).

Started as `node.py <module>`. The package lies in /guest/package, read-only, with whatever it brings along.
"""

import asyncio
import importlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

sys.path[:0] = ["/guest", "/guest/packages", "/guest/package"]

import msgspec  # noqa: E402

from flows.host import confine  # noqa: E402
from flows.host.cards import Card, Cards, StepCall  # noqa: E402
from flows.host.frames import Ready, Reply, receive, send  # noqa: E402
from flows.host.guests.asking import Asking, Refused  # noqa: E402
from flows.sdk import ChatReply, ChatRequest, Context, File, HttpReply, HttpRequest, NodeError, NodeType  # noqa: E402
from flows.sdk.context import RunFacts  # noqa: E402

MEMORY = 256 * 1024 * 1024


class Remote:
    """A power that lies on the other side. What it refuses comes as a NodeError."""

    def __init__(self, asking: Asking, power: str) -> None:
        self._asking = asking
        self._power = power

    def _ask(self, verb: str, *values: Any) -> Any:
        try:
            return self._asking.ask(self._power, verb, *values)
        except Refused as refused:
            raise NodeError(str(refused), field=refused.field, retry=refused.retry) from None


class Http(Remote):
    async def send(self, request: HttpRequest) -> HttpReply:
        return msgspec.convert(self._ask("send", request), HttpReply)


class Files(Remote):
    async def read(self, file: File) -> bytes:
        return bytes(self._ask("read", file))

    async def write(self, name: str, content: bytes, media_type: str) -> File:
        return msgspec.convert(self._ask("write", name, content, media_type), File)


class Llm(Remote):
    async def chat(self, request: ChatRequest) -> ChatReply:
        return msgspec.convert(self._ask("chat", request), ChatReply)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        """In one piece: words do not come one by one through the broker."""
        reply = await self.chat(request)
        yield reply.text
        yield reply

    async def embed(self, texts: Sequence[str], model: str = "") -> list[list[float]]:
        return [list(map(float, vector)) for vector in self._ask("embed", list(texts), model)]


REMOTE: dict[str, type[Remote]] = {"http": Http, "files": Files, "llm": Llm}


def nodes(module: str) -> dict[str, NodeType[Any, Any, Any]]:
    found = importlib.import_module(module).NODES
    return {kind.name: kind for kind in found if isinstance(kind, NodeType)}


def card(kind: NodeType[Any, Any, Any]) -> Card:
    special = {
        "container": kind.container,
        "subflow": kind.subflow,
        "waits": kind.waits,
        "trigger": kind.trigger is not None,
        "join": kind.join_of is not None,
        "ports": kind._ports_of is not None,
        "effect_of": kind._effect_of is not None,
        "sources": kind.sources is not None,
        "reads": kind.reads is not None,
    }
    return Card(
        kind.name,
        kind.version,
        kind.title,
        kind.description,
        kind.effect,
        kind.icon,
        kind.family,
        list(kind.needs),
        kind.timeout,
        kind.settings_schema(),
        list(kind.static.inputs),
        list(kind.static.outputs),
        [name for name, has in special.items() if has],
    )


async def step(kind: NodeType[Any, Any, Any], call: StepCall, asking: Asking) -> Any:
    def emit(event: dict[str, Any]) -> None:
        if event["type"] == "step.log":
            asking.ask("run", "log", event["text"], {**(event.get("output") or {}), "level": event["level"]})
        elif event["type"] == "step.token":
            asking.ask("run", "say", event["text"])

    facts = RunFacts(
        call.run_id,
        call.input,
        flow_id=call.flow_id,
        trigger=call.trigger,
        deadline=call.deadline,
        capabilities={power: lambda _, p=power: REMOTE[p](asking, p) for power in REMOTE},  # type: ignore[misc]
        emit=emit,
    )
    ctx = Context(facts, call.node_id, call.iter, call.attempt, kind.needs)
    out = await kind.fn(msgspec.convert(call.settings, kind.settings), msgspec.convert(call.inputs, kind.inputs), ctx)
    return msgspec.to_builtins(out)


def answer(call: StepCall, module: str, asking: Asking) -> Reply:
    try:
        kinds = nodes(module)
        if not call.node:
            return Reply(value=msgspec.to_builtins(Cards([card(kind) for kind in kinds.values()])))
        return Reply(value=asyncio.run(step(kinds[call.node], call, asking)))
    except NodeError as error:
        return Reply("code", message=error.message, kind="NodeError", field=error.field, retry=error.retry)
    except MemoryError:
        return Reply("memory", message="out of memory")
    except BaseException as error:
        return Reply("code", message=str(error)[:2000], kind=type(error).__name__)


def main() -> None:
    wire = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    send(wire, Ready(("namespaces", "read-only", "seccomp", "rlimits")))
    call = receive(wire, msgspec.msgpack.Decoder(StepCall))
    if call is None:
        return
    confine.rlimits(memory=MEMORY, seconds=int(call.seconds) + 2, files=64, written=MEMORY, processes=64)
    send(wire, answer(call, sys.argv[1], Asking(wire)))
    os._exit(0)


if __name__ == "__main__":
    main()
