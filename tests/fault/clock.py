"""The clock of the database's machine, without touching any machine's clock: a library before libc (clock.c) that only
PostgreSQL is started with. It can be set, jumps, and runs faster. Workers and tests keep the real time.
"""

import mmap
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("clock.c")
BILLION = 1_000_000_000


class Clock:
    """`library`: clock.c, compiled. `file`: what it reads."""

    def __init__(self, folder: Path) -> None:
        """Skips the test where no such library can be made or loaded, with what the machine said."""
        self.library, self.file = folder / "clock.so", folder / "clock"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            pytest.skip("No C compiler here: the database's clock can't be changed for it alone.")
        built = subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", str(self.library), str(SOURCE)], capture_output=True, text=True
        )
        if built.returncode:
            pytest.skip(f"The library for the database's clock can't be compiled: {built.stderr.strip()[:300]}")
        self._version, self._rate = 0, 1.0
        self.file.write_bytes(bytes(32))
        with self.file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 32)
        self._say(time.time_ns())
        self.jump(1e9)
        with self.loaded():
            said = subprocess.run(["date", "+%s"], capture_output=True, text=True).stdout.strip()
        if abs(int(said or 0) - self.now().timestamp()) > 5:
            pytest.skip("This machine does not load a library before libc: the database's clock can't be changed.")
        self.jump(-1e9)

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """What is started inside has this clock."""
        before = {name: os.environ.get(name) for name in ("LD_PRELOAD", "AGENTBASE_TEST_CLOCK")}
        os.environ |= {"LD_PRELOAD": str(self.library), "AGENTBASE_TEST_CLOCK": str(self.file)}
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def _now(self) -> int:
        _, real, faked, rate = struct.unpack("qqqd", self._map[:32])
        return int(faked + (time.time_ns() - real) * rate)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now() / BILLION, UTC)

    def set(self, moment: datetime) -> None:
        self._say(int(moment.timestamp() * BILLION))

    def jump(self, seconds: float) -> None:
        self._say(self._now() + int(seconds * BILLION))

    def run_at(self, rate: float) -> None:
        """So many seconds go by in one; 0 stands still."""
        now = self._now()
        self._rate = rate
        self._say(now)

    def _say(self, now: int) -> None:
        """An odd version says that it is being written."""
        self._map[0:8] = struct.pack("q", self._version + 1)
        self._map[8:32] = struct.pack("qqd", time.time_ns(), now, self._rate)
        self._version += 2
        self._map[0:8] = struct.pack("q", self._version)
