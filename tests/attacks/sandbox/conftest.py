"""What the corpus tries to reach, and how we see afterwards whether it did."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECRET = "the-canary-nobody-may-read-4711"
OWNED = (Path("/tmp/agentbase-owned"), Path("/dev/shm/agentbase-owned"), Path("/etc/cron.d/x"))


class Bait:
    """A file, a variable, three listeners and a process. `untouched` says what of them was reached."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "secret.txt"
        self.file.write_text(SECRET)
        os.utime(self.file, (1_700_000_000, 1_700_000_000))
        os.environ["AGENTBASE_CANARY"] = SECRET
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix, self.abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self.unix.bind(str(place / "sock"))
        self.name = f"agentbase-attack-{os.getpid()}"  # names of this kind are one for the whole machine
        self.abstract.bind(f"\0{self.name}")
        for listener in (self.unix, self.abstract):
            listener.listen()
        for listener in (self.tcp, self.unix, self.abstract):
            listener.setblocking(False)
        self.victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    @property
    def inputs(self) -> dict[str, Any]:
        return {
            "path": str(self.file),
            "place": str(self.place),
            "port": self.tcp.getsockname()[1],
            "sock": str(self.place / "sock"),
            "abstract": self.name,
            "pid": os.getpid(),
            "victim": self.victim.pid,
            "name": "AGENTBASE_CANARY",
        }

    def untouched(self, said: Any) -> None:
        assert SECRET not in repr(said), "the secret came out"
        assert self.file.read_text() == SECRET and self.file.stat().st_mtime == 1_700_000_000
        assert sorted(os.listdir(self.place)) == ["secret.txt", "sock"], "something was written"
        assert not [place for place in OWNED if place.exists()], "something was written"
        for listener in (self.tcp, self.unix, self.abstract):
            with pytest.raises(BlockingIOError):
                listener.accept()
        assert self.victim.poll() is None, "another process was killed"

    def close(self) -> None:
        del os.environ["AGENTBASE_CANARY"]
        self.victim.kill()
        self.victim.wait()
        for listener in (self.tcp, self.unix, self.abstract):
            listener.close()


@pytest.fixture(scope="session")
def bait(tmp_path_factory):
    made = Bait(tmp_path_factory.mktemp("bait"))
    yield made
    made.close()
