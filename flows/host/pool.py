"""Warm children of the safe engine, a few in each process of ours, started when the first one is needed.

A child is asked by one step at a time. Its interpreter serves one workspace: when another one's turn comes, the
interpreter is replaced first (about 4 ms), so that nothing can stay behind in it.
"""

import asyncio
import os
import shutil
import sys
import sysconfig
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flows.host.child import PYTHON, START, Child, Fallen
from flows.host.frames import Call, Ready, Reply

MOST = 4
"""Children of one process at once; more steps than that wait."""
WAITING = 512
"""Steps that may wait; the next one is refused."""
IDLE = 120.0
"""Seconds after which a child that nobody asked is ended, except the last one."""
CALLS = 20_000
"""Calls after which a child is replaced, whatever it may have gathered."""
SLACK = 5.0
"""Seconds beyond its own limit until a child that does not answer is killed. A busy machine needs some."""

HERE = Path(__file__).parent
PLACE = HERE.parents[1]


class Missing(Exception):
    """This machine can't run the engine asked for. The sentence says why and what to do."""


class Busy(Exception):
    """Too many steps wait for a child already."""


class Pool:
    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.idle: list[Child] = []
        self.held = 0
        self.borders: tuple[str, ...] = ()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lock = threading.Lock()
        _pools.add(self)

    async def run(self, call: Call, owner: str) -> Reply:
        """Raises Missing, Busy, Fallen, and what `packed` raises for inputs that can't be sent."""
        child = await self._take(owner)
        try:
            reply = await child.ask(_for(child, owner, call), REPLY, _patience(call))
            child.owner = owner
            return reply
        finally:
            self._give_back(child)

    def run_now(self, call: Call, owner: str) -> Reply:
        """The same, blocking this thread: for what must be known at once, such as whether a text can be read."""
        child = self._idle_now(owner) or self._start_now()
        try:
            reply = child.ask_now(_for(child, owner, call), REPLY, _patience(call))
            child.owner = owner
            return reply
        finally:
            self._give_back(child)

    def close(self) -> None:
        with self._lock:
            children, self.idle = self.idle, []
        for child in children:
            child.kill()

    # --- taking and giving back

    async def _take(self, owner: str) -> Child:
        while True:
            child = self._idle_now(owner)
            if child is not None:
                return child
            if self.held < self.most:
                return await self._start()
            if len(self._waiting) >= WAITING:
                raise Busy
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._next_turn()
                raise
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)

    def _idle_now(self, owner: str) -> Child | None:
        """An idle child this thread may use: of this owner if there is one, else of nobody, else of anybody."""
        try:
            mine: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            mine = None
        with self._lock:
            fit = [c for c in self.idle if c.loop is None or c.loop is mine or c.loop.is_closed()]
            fit.sort(key=lambda child: (child.owner != owner, child.owner != ""))
            for child in fit:
                self.idle.remove(child)
                if child.alive:
                    self.held += 1
                    return child
                child.kill()
        return None

    async def _start(self) -> Child:
        self.held += 1
        try:
            child = Child(arguments())
            self.borders = (await child.answer(READY, START)).borders
        except BaseException:
            self.held -= 1
            self._next_turn()
            raise
        return child

    def _start_now(self) -> Child:
        self.held += 1
        try:
            child = Child(arguments())
            self.borders = child.answer_now(READY, START).borders
        except BaseException:
            self.held -= 1
            raise
        return child

    def _give_back(self, child: Child) -> None:
        self.held -= 1
        child.calls += 1
        child.last = time.monotonic()
        if child.wire.fileno() < 0 or child.calls >= CALLS:
            child.kill()
        else:
            with self._lock:
                self.idle.append(child)
                old = [c for c in self.idle[:-1] if child.last - c.last > IDLE]
                for each in old:
                    self.idle.remove(each)
            for each in old:
                each.kill()
        self._next_turn()

    def _next_turn(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.get_loop().call_soon_threadsafe(_set, turn)
                return


def _set(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)


READY: "msgspec.msgpack.Decoder[Ready]" = msgspec.msgpack.Decoder(Ready)
REPLY: "msgspec.msgpack.Decoder[Reply]" = msgspec.msgpack.Decoder(Reply)
_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


def _for(child: Child, owner: str, call: Call) -> Call:
    """The call as this child gets it: nobody is served by an interpreter that another one used."""
    return call if child.owner == owner else msgspec.structs.replace(call, fresh=True)


def _patience(call: Call) -> float:
    return 2 * call.bounds.seconds + SLACK


def arguments() -> Sequence[str]:
    """The command line of a child. Raises Missing."""
    if sys.platform == "win32":
        raise Missing("Code steps need a Unix system: Linux or macOS. Run Agentbase there, or in WSL.")
    program = _interpreter()
    packages = sysconfig.get_paths()["platlib"]
    return (*PYTHON, str(HERE / "guests" / "safe.py"), str(os.getpid()), str(PLACE), packages, program)


def _interpreter() -> str:
    beside = Path(sysconfig.get_paths()["scripts"]) / "monty"
    found = str(beside) if beside.is_file() else shutil.which("monty")
    if not found:
        raise Missing("The interpreter for code steps is not installed. Run: uv sync (the package pydantic-monty).")
    return found


def _after_fork() -> None:
    """Children belong to the process that started them: a fork of ours must not write into their sockets."""
    for pool in _pools:
        pool.idle, pool.held = [], 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

__all__ = ["Busy", "Fallen", "Missing", "Pool"]
