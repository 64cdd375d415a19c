"""A process that dies at the n-th await of something the product does, for every n that somebody asks for.

It has imported everything and forks for each line on its input: {"what": "module:function", "given": […], "at": n}.
It prints "killed" or "done". `kill -9` at an await: what was sent to the database by then arrives, no answer is heard.

    python -m tests.fault.dying
"""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import config, db
from app.runs import running


class Deed(Struct):
    """`given`: what it is called with; "uuid:…" becomes a UUID, "bytes:…" bytes."""

    what: str
    given: list[Any]
    at: int


class Dying:
    """Awaits a coroutine, up to its `at`-th suspension."""

    def __init__(self, act: Coroutine[Any, Any, Any], at: int) -> None:
        self._act, self._left = act, at

    def __await__(self) -> Generator[Any, Any, Any]:
        act, value, problem = self._act, None, None
        while True:
            try:
                waits_for = act.send(value) if problem is None else act.throw(problem)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            value, problem = None, None
            try:
                value = yield waits_for
            except BaseException as error:
                problem = error


async def live(deed: Deed) -> None:
    module, _, name = deed.what.partition(":")
    verb = getattr(importlib.import_module(module), name)
    await db.start("cli", {"app": (1, 2), "system": (1, 2), "site": (0, 1)})
    await running.start("cli")
    await Dying(verb(*map(_meant, deed.given)), deed.at)


def _meant(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("uuid:"):
        return UUID(value[5:])
    return value[6:].encode() if isinstance(value, str) and value.startswith("bytes:") else value


def main() -> None:
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)  # what it logs is no answer
            try:
                asyncio.run(live(msgspec.json.decode(line, type=Deed)))
                os._exit(0)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print({0: "done", -signal.SIGKILL: "killed"}.get(code, f"failed: {code}"), flush=True)


class Deathbed:
    """The process above, as a test has it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def survives(self, at: int, what: str, *given: Any) -> bool:
        """Let it do `what` and die at its `at`-th await. True: it was done before."""
        line = {"what": what, "given": [f"uuid:{one}" if isinstance(one, UUID) else one for one in given], "at": at}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(line) + b"\n")
        said = (await self._process.stdout.readline()).decode().strip()
        assert said in ("done", "killed"), said
        return said == "done"


@asynccontextmanager
async def deathbed(*imports: str) -> AsyncIterator[Deathbed]:
    """`imports`: modules to have before the first fork."""
    program = f"import {', '.join(('tests.fault.dying', *imports))}; tests.fault.dying.main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=Path(__file__).resolve().parents[2],
        env=config.environment(config.settings()), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Deathbed(process)
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    main()
