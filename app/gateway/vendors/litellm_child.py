"""litellm in a child process, for one call: how a web process tests a connection without importing it.

`python -m app.gateway.vendors.litellm_child` reads one call as JSON from its standard input (so that no key is ever on
a command line) and writes the answer, or the fault, to its standard output. It takes the five seconds of the import.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from app import clock
from app.config import Secret
from app.gateway import faults
from app.gateway.calls import Ask, Done, Target, Vectors
from app.gateway.faults import Fault, Kind

IMPORT = 30.0
"""Seconds that starting Python and importing litellm may take on a busy machine, on top of the call's own limit."""


class _Call(Struct, frozen=True):
    target: Target
    key: str
    ask: Ask
    limit: float


class _Ended(Struct, frozen=True):
    done: Done | None = None
    kind: Kind | None = None
    message: str = ""
    ms: int = 0


class LitellmChild:
    """`took_ms`: what the last call took at the vendor, without the child's start."""

    def __init__(self) -> None:
        self.took_ms = 0

    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        bare = msgspec.structs.replace(target, key=Secret(""))
        call = msgspec.json.encode(_Call(bare, str(target.key), ask, limit), enc_hook=_plain)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "app.gateway.vendors.litellm_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(limit + IMPORT):
                out, _ = await child.communicate(call)
        except TimeoutError:
            raise faults.timed_out(target.where, limit) from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        try:
            ended = msgspec.json.decode(out, type=_Ended)
        except msgspec.DecodeError:
            raise faults.malformed(target.where, "nothing (litellm did not start)") from None
        if ended.done is None:
            raise Fault(ended.kind or "bad_request", ended.message)
        self.took_ms = ended.ms
        return ended.done

    async def stream(self, target: Target, ask: Ask, limit: float) -> AsyncGenerator[str | Done, None]:
        done = await self.chat(target, ask, limit)
        if done.text:
            yield done.text
        yield done

    async def embed(self, target: Target, texts: Sequence[str], limit: float) -> Vectors:
        raise Fault("needs_worker", f"Model '{target.model}' of '{target.name}' is answered by a worker.")


async def _answer(raw: bytes) -> bytes:
    from app.gateway.vendors.litellm import LitellmVendor, load

    await load()
    call = msgspec.json.decode(raw, type=_Call, dec_hook=_secret)
    target = msgspec.structs.replace(call.target, key=Secret(call.key))
    began = clock.monotonic()
    try:
        done = await LitellmVendor().chat(target, call.ask, call.limit)
        ended = _Ended(done=done, ms=round((clock.monotonic() - began) * 1000))
    except Fault as fault:
        ended = _Ended(kind=fault.kind, message=fault.message)
    return msgspec.json.encode(ended)


def _plain(value: Any) -> Any:
    return str(value)


def _secret(kind: type, value: Any) -> Any:
    return kind(value)


def main() -> None:
    raw = sys.stdin.buffer.read()
    answer_to = os.dup(1)
    os.dup2(2, 1)  # litellm and its kin print; only the answer may go out
    answer = asyncio.run(_answer(raw))
    os.write(answer_to, answer)


if __name__ == "__main__":
    main()
