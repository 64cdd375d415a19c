"""Everything one scenario needs, for real: PostgreSQL that syncs to disk, Valkey, the effect server, workers."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from app import config, db
from app.embedded.folder import free_port
from app.embedded.postgres import EmbeddedPostgres
from app.events import hub
from app.migrate import migrate
from app.runs import running, service
from flows.transport.protocol import Transport
from tests.factories.kernel import a_workspace
from tests.factories.runs import a_version
from tests.fault import effects, steps
from tests.servers import Valkey

LIVE = ("queued", "running", "waiting")


class World:
    def __init__(self, folder: Path, postgres: EmbeddedPostgres, valkey: Valkey, owner: str, nudges: str) -> None:
        self.folder, self.postgres, self.valkey, self.owner, self.nudges = folder, postgres, valkey, owner, nudges
        self.port = free_port()
        self.book = folder / "effects.jsonl"
        self.faults: list[tuple[float, str]] = []
        self.workers: list[int] = []
        self.predicted: set[str] = set()
        self.accepted: list[UUID] = []
        self.began = time.monotonic()
        self.nursery: subprocess.Popen[str] | None = None
        self.outside: subprocess.Popen[bytes] | None = None

    # --- servers

    def begin(self, slots: int) -> None:
        root = Path(__file__).resolve().parents[2]
        self.outside = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.effects", str(self.port), str(self.book)], cwd=root
        )
        log = (self.folder / "workers.log").open("w")
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.fault.nursery", str(self.port), str(slots), self.nudges],
            cwd=root, env=config.environment(config.settings()), text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.05)
        raise AssertionError("the effect server did not start")

    def end(self) -> None:
        for process in (self.nursery, self.outside):
            if process is not None:
                process.kill()
                process.wait()

    async def spawn(self) -> int:
        assert self.nursery is not None and self.nursery.stdin is not None and self.nursery.stdout is not None
        self.nursery.stdin.write("spawn\n")
        self.nursery.stdin.flush()
        while True:  # workers share the nursery's standard output with their log lines
            line = await asyncio.to_thread(self.nursery.stdout.readline)
            assert line, (self.folder / "workers.log").read_text()[-3000:]
            if line.strip().isdigit():
                self.workers.append(int(line))
                return int(line)

    # --- faults

    def note(self, what: str) -> None:
        self.faults.append((round(time.monotonic() - self.began, 2), what))

    async def kill(self, pid: int) -> None:
        """kill -9, and predict: which runs have a step now whose outcome nobody can know."""
        os.kill(pid, signal.SIGKILL)
        self.workers.remove(pid)
        self.note(f"kill -9 {pid}")
        await asyncio.sleep(0.15)  # what the server had received from it is committed by now
        self.predicted |= await self.unsure(pid)

    async def unsure(self, pid: int) -> set[str]:
        rows = await self.ask(
            """select r.id
                 from run r join worker w on w.id = r.owner_worker join node_exec n on n.run_id = r.id
                where r.status = 'running' and w.pid = $1
                  and n.status = 'started' and n.effect_class = 'at_most_once'""",
            pid,
        )
        return {str(row["id"]) for row in rows}

    def wipe_redis(self) -> None:
        """kill -9, and back at once with nothing in it."""
        assert self.valkey.process is not None
        self.valkey.process.kill()
        self.valkey.process.wait()
        self.note("redis killed")
        self.valkey.stop()
        shutil.rmtree(self.valkey.folder / "appendonlydir", ignore_errors=True)
        self.valkey.start()
        self.note("redis back, empty")

    def restart_postgres(self) -> None:
        """As pg_ctl stop -m immediate: no checkpoint, recovery from the log at start."""
        assert self.postgres.process is not None
        self.postgres.keep_port()
        os.kill(self.postgres.process.pid, signal.SIGQUIT)
        self.postgres.process.wait(20)
        self.note("postgresql stopped at once")
        self.postgres.stop()
        self.postgres.start()
        self.note("postgresql back")

    # --- asking

    async def ask(self, query: str, *arguments: Any) -> list[Any]:
        """As the owner of everything, on a connection of its own: whatever the pools go through."""
        for attempt in range(40):
            try:
                connection = await asyncpg.connect(self.owner)
            except (OSError, asyncpg.PostgresError):
                if attempt == 39:
                    raise
                await asyncio.sleep(0.25)
                continue
            try:
                return list(await connection.fetch(query, *arguments))
            finally:
                await connection.close()
        return []

    async def quiet(self, seconds: float) -> None:
        """Until no run is live any more."""
        deadline = time.monotonic() + seconds
        while True:
            rows = await self.ask("select status, count(*) as n from run group by status")
            left = {row["status"]: row["n"] for row in rows}
            if not any(left.get(status) for status in LIVE):
                return
            assert time.monotonic() < deadline, f"not done after {seconds:g} s: {left}; {self.faults[-5:]}"
            await asyncio.sleep(0.2)

    def calls(self) -> list[dict[str, Any]]:
        return effects.read(self.book)

    async def times(self, event: str) -> int:
        """How often runs had an event of this type."""
        return int((await self.ask("select count(*) as n from run_event where type = $1", event))[0]["n"])

    async def start_p95(self) -> float:
        """Seconds from being stored to being claimed first, of the slowest twentieth."""
        waited = "extract(epoch from started_at - created_at)"
        rows = await self.ask(f"select percentile_cont(0.95) within group (order by {waited}) as p from run")
        return float(rows[0]["p"])

    # --- load

    async def load(self, runs: int, seconds: float, *, risky_share: float = 0.1, pace: float = 0.0) -> None:
        """Start runs of two workspaces, a share with a step that must not happen twice. Retries like a caller."""
        flows = []
        for _ in range(2):
            workspace = await a_workspace()
            for risky in (False, True):
                flows.append(await a_version(steps.five_steps(seconds, risky=risky), workspace))
        for i in range(runs):
            risky = (i * risky_share) % 1 >= 1 - risky_share
            workspace, _, version = flows[(i % 2) * 2 + risky]
            self.accepted.append(await self._start(workspace, version, f"order-{i}"))
            if pace:
                await asyncio.sleep(pace)

    async def _start(self, workspace: UUID, version: UUID, key: str) -> UUID:
        for attempt in range(100):
            try:
                given = {"order": key}
                return await service.start(workspace, version, given, trigger="api", idempotency_key=key)
            except Exception:
                if attempt == 99:
                    raise
                await asyncio.sleep(0.1)
        raise AssertionError


@asynccontextmanager
async def world(folder: Path, *, workers: int = 2, slots: int = 20, nudges: str = "plain") -> AsyncIterator[World]:
    postgres = EmbeddedPostgres(folder / "postgres", settings={"max_connections": "200", "shared_buffers": "64MB"})
    valkey = Valkey(folder / "valkey")
    try:
        dsns = postgres.start()
        redis = valkey.start()
        await migrate(dsns.owner, dsns.login)
        changes = {
            "data": folder,
            "database_url": config.Secret(dsns.login),
            "database_owner_url": config.Secret(dsns.owner),
            "redis_url": config.Secret(redis),
            "secret_key": config.Secret("only-for-tests-" + "0123456789abcdef" * 2),
        }
        with config.using(**changes):
            made = World(folder, postgres, valkey, dsns.owner, nudges)
            made.begin(slots)
            steps.install(made.port)
            await db.start("cli", {"app": (0, 6), "system": (0, 3), "site": (0, 1)})
            host = await running.start("cli")
            host.transport = _transport(nudges, host.transport)
            await hub.start()
            try:
                for _ in range(workers):
                    await made.spawn()
                yield made
            finally:
                made.end()
                await hub.stop()
                await running.stop()
                await db.stop()
    finally:
        valkey.stop()
        postgres.stop()


def _transport(nudges: str, plain: Transport) -> Transport:
    from tests.fault.nudges import Dropped, Repeated

    return {"plain": lambda: plain, "dropped": lambda: Dropped(), "repeated": lambda: Repeated(plain)}[nudges]()


__all__ = ["World", "world"]
