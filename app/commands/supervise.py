"""Keeping a handful of processes alive: notice an end, start again with a growing pause, give up, stop in order."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM
from threading import Event
from time import monotonic
from typing import Protocol

from app.embedded.errors import DiskFull, StartProblem
from app.embedded.folder import tail, trim
from app.embedded.process import end, spawn

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try. After the last one we give up: something is wrong that trying does not cure;
except a full disk, for which the last pause is kept as long as it takes.
"""
STEADY = 60.0
"""A process that has lived so long starts with the first pause again."""
LOG_LIMIT = 20 * 1024 * 1024


def keeping_bytecode(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment in which a Python child keeps its compiled modules, in `folder` if it may not keep them beside
    the sources (PYTHONDONTWRITEBYTECODE, as images set it, or an installation that is not ours to write to).

    Compiling 1,500 modules anew is 60 % of a start: web 2.4 s of one core without, 1.0 s with. A place that somebody
    chose by PYTHONPYCACHEPREFIX stays theirs.
    """
    kept = dict(environment)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    refused = sys.dont_write_bytecode or not os.access(Path(__file__).parent, os.W_OK)
    if refused and sys.pycache_prefix is None:
        kept["PYTHONPYCACHEPREFIX"] = str(folder)
    return kept


class Part(Protocol):
    """One thing that is kept alive: an embedded server or a process of ours."""

    name: str
    log: Path

    def start(self) -> object: ...
    def stop(self) -> None: ...
    def alive(self) -> bool: ...


class Ours:
    """A process of Agentbase itself: `python -m app.cli web` and the like."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self._arguments = arguments
        self._environment = environment

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        trim(self.log)
        self.process = spawn(
            [sys.executable, "-P", "-m", "app.cli", *self._arguments], log=self.log, env=self._environment
        )

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting, so that several can go at the same time."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(SIGTERM)

    def stop(self, timeout: float = 3.0) -> None:
        if self.process is not None:
            end(self.process, ((SIGTERM, timeout),))
            self.process = None


class _Watched:
    def __init__(self, part: Part, vital: bool) -> None:
        self.part, self.vital = part, vital
        self.tries, self.since, self.next_try, self.given_up = 0, monotonic(), 0.0, False
        self.disk_full = False


class Supervisor:
    """Parts in the order they were started; stopped in the other order.

    `say` gets a sentence whenever something happens that a person should know.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._watched: list[_Watched] = []

    def keep(self, part: Part, *, vital: bool = True) -> None:
        """From now on `part` is watched and stopped by us. When a vital one cannot be kept alive, everything stops."""
        self._watched.append(_Watched(part, vital))

    def look(self) -> None:
        """Once around: start again what ended and whose pause is over. StartProblem for a hopeless vital part."""
        now = monotonic()
        for watched in self._watched:
            part = watched.part
            if part.alive() or watched.given_up:
                if watched.tries and now - watched.since > STEADY:
                    watched.tries = 0
                continue
            if not watched.next_try:
                if watched.tries >= len(PAUSES):
                    self._give_up(watched)
                    continue
                watched.next_try = now + PAUSES[watched.tries]
                if not watched.disk_full:
                    self._say(f"{part.name} ended; starting it again in {PAUSES[watched.tries]:g} s (log: {part.log})")
            elif now >= watched.next_try:
                watched.next_try, watched.tries = 0.0, watched.tries + 1
                try:
                    part.stop()
                    part.start()
                    self._say(f"{part.name} is running again")
                    watched.disk_full = False
                except DiskFull as problem:
                    self._wait_for_space(watched, problem)
                except StartProblem as problem:
                    self._say(str(problem))
                watched.since = monotonic()

    def run(self, every: Callable[[], None]) -> None:
        """Look around five times a second, for ever; `every` is called each time. An exception (Ctrl-C) ends it."""
        pause, rounds = Event(), 0
        while True:
            self.look()
            every()
            rounds += 1
            if rounds % 300 == 0:
                for watched in self._watched:
                    _shorten(watched.part.log)
            pause.wait(0.2)

    def stop(self) -> None:
        """Stop all: our own processes together, at most 3 s (they still need the database), then the servers."""
        ours = [watched.part for watched in self._watched if isinstance(watched.part, Ours)]
        for part in ours:
            part.ask_to_stop()
        deadline = monotonic() + 3.0
        for part in ours:
            part.stop(max(0.05, deadline - monotonic()))
        for watched in reversed(self._watched):
            watched.part.stop()
        self._watched.clear()

    def _wait_for_space(self, watched: _Watched, problem: DiskFull) -> None:
        """Said once; then quietly again after every longest pause."""
        if not watched.disk_full:
            self._say(f"{problem} {watched.part.name} starts by itself when there is some.")
        watched.disk_full, watched.tries = True, min(watched.tries, len(PAUSES) - 1)

    def _give_up(self, watched: _Watched) -> None:
        part = watched.part
        problem = StartProblem(
            f"{part.name} ended {watched.tries + 1} times. Its last words ({part.log}):\n{tail(part.log)}\n",
            "Run `agentbase doctor`; it says what is wrong with this installation.",
        )
        watched.given_up = True
        if watched.vital:
            raise problem
        self._say(f"{problem} Agentbase goes on without it.")


def _shorten(log: Path) -> None:
    """Keep a log below LOG_LIMIT while its writer is running: the writer appends, so emptying the file is safe."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        kept = tail(log, 200)
        with suppress(OSError):  # no room for its last words: all the more reason to empty it
            log.with_name(log.name + ".1").write_text(kept + "\n", encoding="utf-8")
        with log.open("r+b") as file:
            file.truncate(0)
