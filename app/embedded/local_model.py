"""The small demo model of a fresh install: SmolLM2-135M-Instruct, on this machine, no key and no network.

`start()` returns as soon as the port is open (0.1 s); until the weights are loaded (about 1 s) the server answers 503.
"""

import importlib.util
import os
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from signal import SIGTERM
from threading import Event
from time import monotonic

from app.embedded.errors import NOT_ON_THIS_MACHINE, StartProblem
from app.embedded.folder import FolderLock, free_port, kept_port, private_folder, tail, trim, write_private
from app.embedded.local_model_server import MODEL, weights
from app.embedded.process import end, spawn

MODEL_ID = f"local/{MODEL}"


def missing() -> str:
    """Why this machine cannot run the local model, in one sentence; empty when it can."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "the runtime of the local model (dependency group 'local-llm') is not installed"
    if weights() is None:
        return "the weights of the local model (dependency group 'local-llm') are not installed"
    return ""


class LocalModel:
    """One model server, in a child process that dies with us. `start()` from the main thread."""

    name = "Local model"

    def __init__(self, folder: Path, *, port: int = 0, threads: int = 0) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "model.log"
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted_port = port
        # With every core at work the threads wait for each other at each layer: 1 token a second instead of 46.
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._lock = FolderLock(self.folder / "lock", "The local model")

    def start(self, timeout: float = 20.0) -> str:
        """Returns the base URL (…/v1) once the port is open. Raises StartProblem when this machine cannot run it."""
        if reason := missing():
            raise StartProblem(
                f"The local model cannot start: {reason}.",
                "Install it (uv sync --group local-llm), or connect any model under Connections; "
                "AGENTBASE_LOCAL_MODEL=off stops this message.",
                code=NOT_ON_THIS_MACHINE,
            )
        private_folder(self.folder)
        self._lock.take()
        try:
            trim(self.log)
            self._launch(monotonic() + timeout)
        except BaseException:
            self.stop()
            raise
        return self.url()

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def url_on_disk(self) -> str:
        """The base URL of the server that another process runs in this folder."""
        self.port = int((self.folder / "port").read_text(encoding="ascii"))
        return self.url()

    def loaded(self) -> bool:
        """Are the weights in memory, so that a question is answered at once?"""
        return self._health() == 200

    def wait_until_loaded(self, timeout: float = 60.0) -> None:
        deadline = monotonic() + timeout
        while not self.loaded():
            if not self.alive() or monotonic() > deadline:
                raise StartProblem(
                    f"The local model did not load. Its last words ({self.log}):\n{tail(self.log)}\n",
                    "It needs about 350 MB of memory.",
                )
            Event().wait(0.02)

    def stop(self, timeout: float = 3.0) -> None:
        if self.process is not None:
            end(self.process, ((SIGTERM, timeout),))
            self.process = None
        self._lock.release()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _launch(self, deadline: float) -> None:
        for _ in range(3):
            self.port = kept_port(self.folder / "port", self._wanted_port)
            self.process = spawn(
                [
                    *(sys.executable, "-P", "-m", "app.embedded.local_model_server"),
                    *("--port", str(self.port), "--threads", str(self._threads)),
                ],
                log=self.log,
                cwd=self.folder,
            )
            while self.process.poll() is None:
                if self._health():
                    return
                if monotonic() > deadline:
                    break
                Event().wait(0.01)
            end(self.process, ((SIGTERM, 2.0),))
            if self._wanted_port or monotonic() > deadline:
                break
            write_private(self.folder / "port", str(free_port()))
        raise StartProblem(
            f"The local model did not start. Its last words ({self.log}):\n{tail(self.log)}\n",
            "Agentbase works without it: connect any model under Connections.",
            code=NOT_ON_THIS_MACHINE,
        )

    def _health(self) -> int:
        """The status of /health: 200 loaded, 503 loading, 0 nobody there."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/health")
            status = connection.getresponse().status
            connection.close()
            return status
        return 0
