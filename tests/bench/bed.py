"""What the measured thing lies on: PostgreSQL that syncs to disk, Valkey, one web process, workers; no page is open."""

import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path

from msgspec import Struct

from app import config, db
from app.embedded.folder import free_port
from app.embedded.postgres import EmbeddedPostgres
from app.events import hub
from app.migrate import migrate
from app.runs import running
from tests.servers import Valkey

ROOT = Path(__file__).parents[2]


class Bed(Struct):
    """`pids`: the web process and the workers, in this order."""

    port: int
    folder: Path
    pids: list[int] = []


@asynccontextmanager
async def bed(*, web: bool = True, workers: int = 0) -> AsyncIterator[Bed]:
    """The engine also runs in this process, to store versions and start runs."""
    with tempfile.TemporaryDirectory(prefix="agentbase-bench-") as name:
        folder = Path(name)
        postgres, valkey = EmbeddedPostgres(folder / "postgres"), Valkey(folder / "valkey")
        children: list[subprocess.Popen[bytes]] = []
        try:
            dsns, redis = postgres.start(), valkey.start()
            await migrate(dsns.owner, dsns.login)
            changes = {
                "data": folder,
                "database_url": config.Secret(dsns.login),
                "database_owner_url": config.Secret(dsns.owner),
                "redis_url": config.Secret(redis),
                "secret_key": config.Secret("only-for-the-bench-" + "0123456789abcdef" * 2),
                "port": free_port(),
                "local_model": False,
            }
            with config.using(**changes) as settings:
                environment = config.environment(settings)
                for command in ["web"] * web + ["worker"] * workers:
                    log = (folder / f"{command}.log").open("ab")
                    line = [sys.executable, "-m", "app.cli", command]
                    children.append(subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=log))
                await db.start("cli", {"app": (0, 8), "system": (0, 3), "site": (0, 1)})
                await running.start("cli")
                await hub.start()
                if web:
                    _until_ready(settings.port, folder)
                try:
                    yield Bed(settings.port, folder, [child.pid for child in children])
                finally:
                    await hub.stop()
                    await running.stop()
                    await db.stop()
        finally:
            for child in children:
                child.kill()
                child.wait()
            valkey.stop()
            postgres.stop()


def _until_ready(port: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the web process did not start: {(folder / 'web.log').read_text()[-2000:]}")
