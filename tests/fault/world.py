"""Everything one scenario needs, for real: PostgreSQL that syncs to disk, Valkey, the effect server, workers."""

import asyncio
import atexit
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from redis.asyncio import from_url
from redis.exceptions import RedisError

from app import config, db
from app.embedded.folder import free_port
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import running as running_process
from app.events import hub
from app.migrate import migrate
from app.runs import running, service
from flows.model import Flow
from flows.transport.protocol import Transport
from tests.factories.kernel import a_workspace
from tests.factories.runs import a_version
from tests.fault import effects, steps
from tests.fault.clock import Clock
from tests.fault.proxy import Proxy
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
        self.sizes: dict[UUID, int] = {}
        self._workspaces: list[UUID] = []
        self._first: tuple[UUID, UUID] | None = None
        self.began = time.monotonic()
        self.clock: Clock | None = None
        self.nursery: subprocess.Popen[str] | None = None
        self.outside: subprocess.Popen[bytes] | None = None

    @property
    def login(self) -> str:
        return self.postgres.dsns().login

    @asynccontextmanager
    async def through(self, proxy: Proxy) -> AsyncIterator[None]:
        """What this process asks the database goes through the proxy, too: the caller's own commits."""
        await db.stop()
        with config.using(database_url=config.Secret(proxy.url(self.login))):
            await db.start("cli", {"app": (0, 6), "system": (0, 3), "site": (0, 1)})
        try:
            yield
        finally:
            await db.stop()
            await db.start("cli", {"app": (0, 6), "system": (0, 3), "site": (0, 1)})

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

    async def spawn(self, **birth: Any) -> int:
        """A worker more; how it differs: nursery.Birth."""
        assert self.nursery is not None and self.nursery.stdin is not None and self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps(birth) + "\n")
        self.nursery.stdin.flush()
        line = await asyncio.to_thread(self.nursery.stdout.readline)
        assert line.strip().isdigit(), (self.folder / "workers.log").read_text()[-3000:]
        self.workers.append(int(line))
        return int(line)

    async def ready(self, workers: int) -> None:
        """Until so many have said that they are there."""
        await self.until("select count(*) >= $1 from worker where stopped_at is null and pid > 0", workers)

    # --- faults

    def note(self, what: str) -> None:
        self.faults.append((round(time.monotonic() - self.began, 2), what))

    async def kill(self, pid: int) -> None:
        """kill -9, and predict: which runs have a step now whose outcome nobody can know."""
        os.kill(pid, signal.SIGKILL)
        self.workers.remove(pid)
        self.note(f"kill -9 {pid}")
        await self.predict()

    async def predict(self) -> None:
        """Runs whose step without a key was under way in a process that is gone; as soon as what it had sent has
        arrived in the database.
        """
        await self.until(
            """select not exists (select from pg_stat_activity a join pg_locks l on l.pid = a.pid
                where a.application_name like 'agentbase-worker%' and a.state = 'active'
                  and l.locktype = 'transactionid' and a.query_start < clock_timestamp() - interval '5 seconds')"""
        )
        await asyncio.sleep(0.15)  # what the server had received from it is committed by now
        rows = await self.ask(
            """select r.id, w.pid
                 from run r join worker w on w.id = r.owner_worker join node_exec n on n.run_id = r.id
                where r.status = 'running' and n.status = 'started' and n.effect_class = 'at_most_once'"""
        )
        self.predicted |= {str(row["id"]) for row in rows if not running_process(row["pid"])}

    async def unsure(self, pid: int) -> set[str]:
        """The runs of a process that have a step now which must not happen twice."""
        rows = await self.ask(
            """select r.id
                 from run r join worker w on w.id = r.owner_worker join node_exec n on n.run_id = r.id
                where r.status = 'running' and w.pid = $1
                  and n.status = 'started' and n.effect_class = 'at_most_once'""",
            pid,
        )
        return {str(row["id"]) for row in rows}

    async def busy_worker(self, chance: random.Random, *, risky: bool = False) -> int | None:
        """One that is in the middle of a step (`risky`: of one that must not happen twice). None: nothing is left.

        So a fault hits work, whatever else the machine is doing; nobody counts seconds.
        """
        while True:
            rows = await self.ask(
                """select distinct w.pid from run r join worker w on w.id = r.owner_worker
                     join node_exec n on n.run_id = r.id
                    where r.status = 'running' and n.status = 'started' and n.effect_class = any ($1::text[])""",
                ["at_most_once"] if risky else ["at_most_once", "idempotent"],
            )
            if pids := sorted({row["pid"] for row in rows} & set(self.workers)):
                return chance.choice(pids)
            left = await self.ask("select from run where status = any ($1::text[]) limit 1", list(LIVE))
            if not left and self.accepted and not self.loading:
                return None
            await asyncio.sleep(0.03)

    loading = False
    rolled = 0
    drained = 0.0

    def wipe_redis(self) -> None:
        """kill -9, and back at once with nothing in it."""
        self.stop_redis()
        shutil.rmtree(self.valkey.folder / "appendonlydir", ignore_errors=True)
        self.start_redis("empty")

    def stop_redis(self) -> None:
        assert self.valkey.process is not None
        self.valkey.process.kill()
        self.valkey.process.wait()
        self.note("redis killed")
        self.valkey.stop()

    def start_redis(self, how: str = "as it was") -> None:
        self.valkey.start()
        self.note(f"redis back, {how}")

    def snapshot_redis(self) -> None:
        """Keep what is in it now."""
        files = self.valkey.folder / "appendonlydir"
        shutil.copytree(files, self.folder / "snapshot", dirs_exist_ok=True)
        self.note("redis snapshot")

    def restore_redis(self) -> None:
        self.stop_redis()
        shutil.rmtree(self.valkey.folder / "appendonlydir", ignore_errors=True)
        shutil.copytree(self.folder / "snapshot", self.valkey.folder / "appendonlydir")
        self.start_redis("as it was long ago")

    async def redis(self, *command: str) -> Any:
        client = from_url(self.valkey.url())
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()

    async def write_redis(self, value: str) -> None:
        """Something, whether it is taken or not."""
        with suppress(RedisError):
            await self.redis("SET", "agentbase-test", value, "EX", "60")

    async def keep_alive(self) -> None:
        """What a supervisor does: as many workers as there were, whatever they die of."""
        count = len(self.workers)
        while True:
            for pid in [pid for pid in self.workers if not running_process(pid)]:
                self.workers.remove(pid)
                self.note(f"died {pid}")
            while len(self.workers) < count:
                await self.spawn()
            await asyncio.sleep(0.1)

    def restart_postgres(self) -> None:
        """As pg_ctl stop -m immediate: no checkpoint, recovery from the log at start."""
        self.stop_postgres()
        self.start_postgres()

    def stop_postgres(self) -> None:
        assert self.postgres.process is not None
        self.postgres.keep_port()
        os.kill(self.postgres.process.pid, signal.SIGQUIT)
        self.postgres.process.wait(20)
        self.note("postgresql stopped at once")
        self.postgres.stop()

    def start_postgres(self) -> None:
        with self.clock.loaded() if self.clock is not None else nullcontext():
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

    async def until(self, question: str, *arguments: Any, seconds: float = 60.0) -> None:
        """Until a question in SQL is answered with true."""
        deadline = time.monotonic() + seconds
        while not (await self.ask(question, *arguments))[0][0]:
            assert time.monotonic() < deadline, (
                f"not within {seconds:g} s: {question}; {[dict(row) for row in await self.ask(STUCK)]}; "
                f"{[dict(row) for row in await self.ask(BUSY)]}"
            )
            await asyncio.sleep(0.05)

    async def quiet(self, seconds: float) -> None:
        """Until no run is live any more. `drained` says afterwards how long that took."""
        begun = time.monotonic()
        deadline = begun + seconds
        while True:
            rows = await self.ask("select status, count(*) as n from run group by status")
            left = {row["status"]: row["n"] for row in rows}
            self.drained = round(time.monotonic() - begun, 1)
            if not any(left.get(status) for status in LIVE):
                return
            assert time.monotonic() < deadline, (
                f"not done after {seconds:g} s: {left}; {self.faults[-5:]}; "
                f"{[dict(row) for row in await self.ask(STUCK)]}; {[dict(row) for row in await self.ask(ALONE)]}"
            )
            await asyncio.sleep(0.2)

    def transport(self) -> Any:
        """What nudges in this process."""
        return running.host().transport

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

    async def load(
        self,
        runs: int,
        seconds: float,
        *,
        risky_share: float = 0.1,
        pace: float = 0.0,
        until: asyncio.Event | None = None,
        prefix: str = "order",
    ) -> None:
        """Start runs of two workspaces, a share with a step that must not happen twice. Retries like a caller.

        `until`: goes on with more runs, at its pace, as long as the nemesis is not done.
        """  # fmt: skip
        self.loading = True
        flows = [await self.flow(steps.five_steps(seconds, risky=risky), 2) for risky in (False, True)]
        i = 0
        while i < runs or (until is not None and not until.is_set()):
            risky = (i * risky_share) % 1 >= 1 - risky_share
            workspace, version = flows[risky][i % 2]
            await self.start(workspace, version, f"{prefix}-{i}")
            i += 1
            if pace:
                await asyncio.sleep(pace)
        self.loading = False

    def in_workspace(self, workspace: UUID) -> None:
        """The next flows belong to it."""
        self._workspaces.insert(0, workspace)

    async def flow(self, flow: Flow, workspaces: int = 1) -> list[tuple[UUID, UUID]]:
        """(workspace, version) of a flow, the same workspaces for all flows."""
        while len(self._workspaces) < workspaces:
            self._workspaces.append(await a_workspace())
        made = []
        for workspace in self._workspaces[:workspaces]:
            _, _, version = await a_version(flow, workspace)
            self.sizes[version] = len(flow.nodes)
            made.append((workspace, version))
            self._first = self._first or (workspace, version)
        return made

    async def start(self, workspace: UUID, version: UUID, key: str) -> UUID:
        """Accepted: from now on the run must not be lost. Retries like a caller, with its idempotency key."""
        for attempt in range(1500):
            try:
                run = await service.start(workspace, version, {"order": key}, trigger="api", idempotency_key=key)
                self.accepted.append(run)
                return run
            except Exception:
                if attempt == 1499:
                    raise
                await asyncio.sleep(0.1)
        raise AssertionError

    async def start_once(self, key: str) -> UUID:
        """One try, as a caller sees it: accepted, or an error."""
        [(workspace, version)] = [self._first or (await self.flow(steps.five_steps(0.1, risky=False)))[0]]
        return await service.start(workspace, version, {"order": key}, trigger="api", idempotency_key=key)

    async def start_once_of(self, workspace: UUID, version: UUID, key: str) -> UUID:
        """One try that must do."""
        run = await service.start(workspace, version, {"order": key}, trigger="api", idempotency_key=key)
        self.accepted.append(run)
        return run

    async def start_all(self, flow: Flow, runs: int, prefix: str = "run") -> list[UUID]:
        [(workspace, version)] = await self.flow(flow)
        return [await self.start(workspace, version, f"{prefix}-{i}") for i in range(runs)]


BUSY = """
select pid, application_name, state, wait_event, left(query, 60) as query, clock_timestamp() - state_change as since
  from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid()
"""
STUCK = """
select r.id, r.status, r.lane, r.epoch, r.crash_count, r.wake_at - clock_timestamp() as wakes,
       r.owner_worker, w.pid, clock_timestamp() - w.heartbeat_at as beat, w.stopped_at
  from run r left join worker w on w.id = r.owner_worker where r.status in ('queued', 'running', 'waiting') limit 5
"""
ALONE = """
select w.pid, w.stopped_at, clock_timestamp() - w.started_at as began, clock_timestamp() - w.heartbeat_at as beat,
       p.pid as parent, clock_timestamp() - p.heartbeat_at as parent_beat
  from worker w left join worker p on p.id = w.boot_id where w.lanes = '{quarantine}' order by w.started_at desc limit 5
"""


@asynccontextmanager
async def world(
    folder: Path, *, workers: int = 2, slots: int = 20, nudges: str = "plain", birth: dict[str, Any] | None = None,
    postgres_folder: Path | None = None, valkey_folder: Path | None = None, settings: dict[str, str] | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[World]:  # fmt: skip
    """`birth`: of the first workers. `postgres_folder`, `valkey_folder`: where their files lie. `settings`:
    PostgreSQL's own. `clock`: PostgreSQL's.
    """
    place = postgres_folder or folder / "postgres"
    shutil.copytree(await asyncio.to_thread(template), place)
    more = {"max_connections": "200", "shared_buffers": "64MB", **(settings or {})}
    postgres = EmbeddedPostgres(place, settings=more)
    valkey = Valkey(valkey_folder or folder / "valkey")
    try:
        with clock.loaded() if clock is not None else nullcontext():
            dsns = postgres.start()
        redis = valkey.start()
        changes = {
            "data": folder,
            "database_url": config.Secret(dsns.login),
            "database_owner_url": config.Secret(dsns.owner),
            "redis_url": config.Secret(redis),
            "secret_key": config.Secret("only-for-tests-" + "0123456789abcdef" * 2),
        }
        with config.using(**changes):
            made = World(folder, postgres, valkey, dsns.owner, nudges)
            made.clock = clock
            made.begin(slots)
            steps.install(made.port)
            await db.start("cli", {"app": (0, 6), "system": (0, 3), "site": (0, 1)})
            host = await running.start("cli")
            host.transport = _transport(nudges, host.transport)
            await hub.start()
            try:
                for _ in range(workers):
                    await made.spawn(**(birth or {}))
                await made.ready(workers)
                yield made
            finally:
                made.end()
                await hub.stop()
                await running.stop()
                await db.stop()
    finally:
        valkey.stop()
        postgres.stop()


@cache
def template() -> Path:
    """A cluster that was made and migrated once for all scenarios of this session; each begins with a copy."""
    folder = Path(tempfile.mkdtemp(prefix="agentbase-fault-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    place = folder / "postgres"
    made = EmbeddedPostgres(place, settings={"fsync": "off"})
    dsns = made.start()
    try:
        asyncio.run(migrate(dsns.owner, dsns.login))
    finally:
        made.stop()
    for name in ("port", "lock"):
        (place / name).unlink(missing_ok=True)
    return place


def _transport(nudges: str, plain: Transport) -> Transport:
    from tests.fault.nudges import Dropped, Repeated

    return {"plain": lambda: plain, "dropped": lambda: Dropped(), "repeated": lambda: Repeated(plain)}[nudges]()


__all__ = ["World", "world"]
