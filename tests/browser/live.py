"""The real product for browser tests: web process and worker on a free port, with a database and a model of its own."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from app.embedded.folder import free_port
from app.embedded.process import child_environment, end, spawn
from tests.servers import Addresses, copy_of_template

EMAIL, PASSWORD, SITE = "mara@fernhill.example", "tulips-need-cold-winters", "Fernhill Garden"
ROOT = Path(__file__).resolve().parents[2]


class Live(Struct, frozen=True):
    """`url` without a slash at the end. `addresses` are those of its database and Valkey."""

    url: str
    port: int
    addresses: Addresses
    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {"secret_key": "only-for-tests-" + "0123456789abcdef" * 2, "port": self.port}


class Product:
    """Start it, use `live`, stop it. With `owner=False` nobody has signed up yet: the set-up form is the first page."""

    def __init__(self, servers: Addresses, model_url: str, *, owner: bool = True, worker: bool = True) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="agentbase-browser-"))
        with ThreadPoolExecutor(1) as aside:  # Playwright's sync API keeps a loop running in the main thread
            addresses = aside.submit(asyncio.run, copy_of_template(servers)).result()
        port = free_port()
        self.live = Live(f"http://localhost:{port}", port, addresses, self.folder)
        self.environment = child_environment(
            AGENTBASE_DATA=str(self.folder),
            AGENTBASE_HOST="127.0.0.1",
            AGENTBASE_PORT=str(port),
            AGENTBASE_PUBLIC_URL=self.live.url,
            AGENTBASE_SECRET_KEY=self.live.settings["secret_key"],
            AGENTBASE_LOCAL_MODEL_URL=model_url,
            AGENTBASE_EGRESS_ALLOW="127.0.0.0/8",
            AGENTBASE_ADMIN_EMAIL=EMAIL if owner else "",
            AGENTBASE_ADMIN_PASSWORD=PASSWORD if owner else "",
            AGENTBASE_SITE_NAME=SITE if owner else "",
            DATABASE_URL=addresses.login,
            DATABASE_OWNER_URL=addresses.owner,
            REDIS_URL=addresses.redis,
        )
        self.run("web")
        if worker:
            self.run("worker")
        self.await_ready()

    def run(self, command: str) -> None:
        child = spawn(
            [sys.executable, "-m", "app.cli", command],
            log=self.folder / f"{command}.log",
            env=self.environment,
            cwd=ROOT,
        )
        self.processes.append(child)

    def await_ready(self) -> None:
        deadline = time.monotonic() + 180  # alone it takes two; a machine that tests everything at once has other work
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{self.live.url}/health/live", timeout=2):
                return
            said = (self.folder / "web.log").read_text(errors="replace")[-3000:]
            assert self.processes[0].poll() is None, f"The web process ended:\n{said}"
            assert time.monotonic() < deadline, f"The web process does not answer:\n{said}"
            time.sleep(0.1)

    def stop(self) -> None:
        for process in reversed(self.processes):
            end(process, ((signal.SIGTERM, 6.0), (signal.SIGKILL, 2.0)))
        shutil.rmtree(self.folder, ignore_errors=True)
