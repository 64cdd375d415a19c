"""A disk of a few megabytes that a test may fill: a file system in memory, which only root can mount."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1 << 20


class Disk:
    """Mounted at `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filler = place / "filler"

    def fill(self) -> int:
        """Until nothing more goes on it. How many bytes that took."""
        taken = 0
        with self._filler.open("ab", buffering=0) as file:
            for size in (MEGABYTE, 4096, 1):
                try:
                    while True:
                        taken += file.write(bytes(size))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
        return taken

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Disk]:
    """Skips the test where none can be mounted, with what the machine said."""
    place.mkdir(mode=0o700)
    line = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(line, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"A full disk needs a file system of its own, and `mount` can't be run here: {error}")
    if mounted.returncode:
        pytest.skip(f"A full disk needs a file system of its own, which can't be mounted: {mounted.stderr.strip()}")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)
