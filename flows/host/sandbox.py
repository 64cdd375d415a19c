"""The `sandbox` capability: code of people, run where it can reach nothing. One pool of children in each process."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache

import msgspec

from flows.host.broker import Broker, Verb, believed
from flows.host.bubble import boxed, one_of_few
from flows.host.child import START, Fallen
from flows.host.frames import BadFrame, Bounds, Call, Engine, Reply
from flows.host.pool import READY, Busy, Missing, Pool
from flows.host.wording import fault_of
from flows.sdk.capabilities import CodeResult
from flows.sdk.context import Context
from flows.sdk.errors import NodeError
from flows.sdk.values import File, Json

SLACK = 0.25
"""Seconds a box gets beyond the code's own limit to hand its result over."""
LONGEST, LARGEST = 60.0, 1024 * 1024 * 1024
"""Seconds and bytes that no step may go beyond, whatever its settings say."""
NOT_ENABLED = (
    "Full Python is switched off on this instance. Choose safe Python, or ask the operator to set "
    "AGENTBASE_FULL_PYTHON=on."
)


@cache
def pool() -> Pool:
    return Pool()


class StepSandbox:
    """flows.sdk's Sandbox for one step. `full`: whether the operator allows full Python."""

    def __init__(self, ctx: Context, full: Callable[[], bool]) -> None:
        self._ctx = ctx
        self._full = full

    async def python(
        self,
        code: str,
        inputs: Mapping[str, Json],
        *,
        engine: Engine = "safe",
        seconds: float = 2.0,
        memory: int = 64 * 1024 * 1024,
    ) -> CodeResult:
        """Raises NodeError(field="code") that names line, value and remedy."""
        bounds = Bounds(min(seconds, LONGEST), min(memory, LARGEST))
        call = Call("run", code, msgspec.to_builtins(dict(inputs)), bounds)
        try:
            reply = believed(await self._run(call, engine, _files_in(inputs)), bounds)
        except (BadFrame, TypeError, OverflowError, ValueError) as error:
            raise NodeError(f"The inputs can't be handed to the code: {error}. Hand over less.") from None
        except Missing as error:
            raise NodeError(str(error), field="engine") from None
        except Busy:
            raise NodeError("Too many code steps wait at this moment.", retry=True, retry_after=1) from None
        except Fallen as error:
            reply = Reply("crash", message=str(error))
        self._account(reply)
        if reply.why:
            raise fault_of(reply, call, engine)
        return CodeResult(reply.value, reply.printed, reply.cpu * 1000, reply.memory)

    async def _run(self, call: Call, engine: Engine, files: dict[str, File]) -> Reply:
        if engine == "safe":
            return await pool().run(call, self._ctx.workspace_id or "-")
        if not self._full():
            raise NodeError(NOT_ENABLED, field="engine")
        async with one_of_few():
            return await self._run_boxed(call, files)

    async def _run_boxed(self, call: Call, files: dict[str, File]) -> Reply:
        child = boxed("full")
        try:
            await child.answer(READY, START)
            powers = {"files": {"read": self._reader(files)}} if files else {}
            return await Broker(powers).serve(child, call, call.bounds.seconds + SLACK)
        except Fallen as error:
            return Reply("time" if error.late else "crash", message=str(error))
        finally:
            child.kill()

    def _reader(self, files: dict[str, File]) -> Verb:
        """Only the files that came in, by the name they came with."""

        async def read(name: str) -> bytes:
            if name not in files:
                raise NodeError(f"There is no file '{str(name)[:80]}' among the inputs.", field="inputs")
            return await self._ctx.files.read(files[name])

        return read

    def _account(self, reply: Reply) -> None:
        """What it printed and what it used, for whoever watches or reads the run."""
        for line in reply.printed.splitlines():
            self._ctx.log(line)
        if reply.cut:
            self._ctx.log("It printed more than is kept.", level="warning")
        if self._ctx.run.emit is None:
            return
        memory = reply.memory or _resident(reply.pid)
        self._ctx.log(
            f"Used {reply.cpu * 1000:.1f} ms of CPU, {memory / 1_048_576:.0f} MB of memory.",
            cpu_ms=round(reply.cpu * 1000, 3),
            memory_bytes=memory,
        )


def _files_in(value: Json) -> dict[str, File]:
    """All files among the inputs, by name; the last of a name counts."""
    found: dict[str, File] = {}
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        found |= {item.name: item} if isinstance(item, File) else _files_in(item)
    return found


def _resident(pid: int) -> int:
    """Bytes a process holds now; 0 where that can't be read."""
    if pid <= 0:
        return 0
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except (OSError, IndexError, ValueError):
        return 0


@lru_cache(maxsize=2048)
def code_problem(code: str, engine: Engine = "safe") -> str:
    """What keeps this code from being read, with its line; "" when it can be read. Nothing of it is run.

    Blocks for about a millisecond the first time, longer when no child is there yet.
    """
    call = Call("parse" if engine == "safe" else "parse full", code, {}, Bounds(seconds=2.0))
    try:
        reply = pool().run_now(call, "-")
    except (Missing, Fallen, BadFrame):
        return ""  # it can't be told here; the run will tell
    return str(fault_of(reply, call, engine)) if reply.why == "syntax" else ""


async def stop() -> None:
    """End all children of this process; the next call starts new ones."""
    pool().close()
