"""What the tests of servers and commands share: every process they start is gone at the end, whatever happened."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.instance import Instance, descendants, gone

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def instance(tmp_path) -> Iterator[Callable[..., Instance]]:
    """`instance()`: a whole Agentbase on this test's folder, not yet started, without the model; gone at the end."""
    made: list[Instance] = []

    def make(folder: str = "data", *, model: bool = False, **named: object) -> Instance:
        env = {"AGENTBASE_LOCAL_MODEL": "on" if model else "off", **named.pop("env", {})}
        made.append(Instance(tmp_path / folder, env=env, **named))
        return made[-1]

    yield make
    for one in made:
        one.kill()
