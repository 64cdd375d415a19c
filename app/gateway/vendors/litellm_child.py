"""litellm in a child process: how a web process tests a connection without importing it.

`python -m app.gateway.vendors.litellm_child` reads calls, one JSON line each, from its standard input (so that no key
is ever on a command line) and writes a line with the answer, or the fault, for each. It ends with its input.
The first answer takes the seconds of the import.
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
LONGEST_LINE = 1_000_000
"""Bytes of an answer; those of a trial are short."""


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
    """One child for the few calls of a trial, one after the other. Started by the first call; `close()` ends it.

    `took_ms`: what the last call took at the vendor, without the child's start.
    """

    def __init__(self) -> None:
        self.took_ms = 0
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def chat(self, target: Target, ask: Ask, limit: float) -> Done:
        bare = msgspec.structs.replace(target, key=Secret(""))
        call = msgspec.json.encode(_Call(bare, str(target.key), ask, limit), enc_hook=_plain)
        try:
            async with self._turn, asyncio.timeout(limit + IMPORT):
                answer = await self._exchanged(call)
        except (TimeoutError, asyncio.CancelledError) as problem:
            await self.close()  # an answer that is late must not be taken for the next one's
            if isinstance(problem, asyncio.CancelledError):
                raise
            raise faults.timed_out(target.where, limit) from None
        try:
            ended = msgspec.json.decode(answer, type=_Ended)
        except msgspec.DecodeError:
            raise faults.malformed(target.where, "nothing (litellm did not start)") from None
        if ended.done is None:
            raise Fault(ended.kind or "bad_request", ended.message)
        self.took_ms = ended.ms
        return ended.done

    async def _exchanged(self, call: bytes) -> bytes:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "app.gateway.vendors.litellm_child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LONGEST_LINE,
            )
        write_to, read_from = self._child.stdin, self._child.stdout
        if write_to is None or read_from is None:
            return b""
        write_to.write(call + b"\n")
        try:
            await write_to.drain()
            return await read_from.readline()
        except (ConnectionError, ValueError):  # it died, or answered more than LONGEST_LINE
            return b""

    async def close(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()

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
    return msgspec.json.encode(ended) + b"\n"


async def _serve(answer_to: int) -> None:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        os.write(answer_to, await _answer(line))


def _plain(value: Any) -> Any:
    return str(value)


def _secret(kind: type, value: Any) -> Any:
    return kind(value)


def main() -> None:
    answer_to = os.dup(1)
    os.dup2(2, 1)  # litellm and its kin print; only the answers may go out
    asyncio.run(_serve(answer_to))


if __name__ == "__main__":
    main()
