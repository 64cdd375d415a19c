"""What the tests of servers and commands share: every process they start is gone at the end, whatever happened."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.embedded.process import running

ROOT = Path(__file__).parents[2]


def descendants(pid: int) -> set[int]:
    """`pid` and everything it started, by /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parents.setdefault(int((entry / "stat").read_text().rpartition(")")[2].split()[1]), []).append(
                int(entry.name)
            )
    found, todo = set(), [pid]
    while todo:
        found.add(here := todo.pop())
        todo += parents.get(here, [])
    return found


def gone(pids: set[int], within: float = 10.0) -> set[int]:
    """Wait until all of them ended; returns those that did not."""
    deadline = time.monotonic() + within
    while (left := {pid for pid in pids if running(pid)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


Python = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def python() -> Iterator[Python]:
    """`python("-c", code)`: a Python process in the repository, killed with all it started when the test ends."""
    started: list[tuple[subprocess.Popen[str], set[int]]] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        started.append((process, set()))
        return process

    yield start
    for process, _ in started:
        family = descendants(process.pid)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        for pid in gone(family, within=5):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
