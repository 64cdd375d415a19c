"""F-44: everything at random, for long, from one seed: `make fault F=F-44 ARGS=--fault-seed=7` draws the same faults.

Half an hour at full size (`AGENTBASE_SOAK=7200` for two hours): as many runs as two busy cores carry out meanwhile.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable

import pytest

from app.embedded.process import running as running_process
from app.runs import service
from tests.fault import steps
from tests.fault.checker import check
from tests.fault.world import World, world

pytestmark = [pytest.mark.fault, pytest.mark.slow]

LEASE = 8.0


async def test_f_44_everything_at_random(folder, full, chance):
    """Faults of all kinds over each other; runs are started, waited for, answered and cancelled meanwhile."""
    seconds = float(os.environ.get("AGENTBASE_SOAK", "1500")) if full else 25.0
    async with world(folder, workers=3, birth={"dead_after": LEASE}) as it:
        nemesis = Nemesis(it, chance)
        done = asyncio.Event()
        pace = 0.08 if full else 0.1
        load = asyncio.create_task(it.load(0, 0.4, pace=pace, risky_share=0.1, until=done))
        people = asyncio.create_task(asked_and_cancelled(it, done, chance))
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await nemesis.strike()
            await asyncio.sleep(chance.uniform(0.2, 4.0 if full else 1.5))
        done.set()
        await load
        await people
        await it.quiet(180)
        figures = await check(it, exact_doubts=False, doubts_may_be_cancelled=True)
        ended = {row["status"] for row in await it.ask("select status from run")}
        assert ended <= {"succeeded", "in_doubt", "cancelled"}, f"an innocent run was given up: {ended}"
        missing = set(nemesis.faults) - set(nemesis.struck)
        assert not missing, f"never happened: {missing}"
        print(nemesis.struck, {name: figures.get(name, 0) for name in ("runs", "succeeded", "in_doubt", "cancelled")})


class Nemesis:
    """Draws the next fault; in its first round each comes once."""

    def __init__(self, it: World, chance: random.Random) -> None:
        self.it, self.chance = it, chance
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": self.kill, "nap": self.nap, "deploy": self.deploy, "empty redis": self.empty_redis,
            "redis full": self.redis_full, "postgres": self.postgres, "backends": self.backends,
        }  # fmt: skip
        self._round = list(self.faults)
        chance.shuffle(self._round)
        self.struck: dict[str, int] = {}

    async def strike(self) -> None:
        await self.revive()
        name = self._round.pop() if self._round else self.chance.choice(list(self.faults))
        await self.faults[name]()
        self.struck[name] = self.struck.get(name, 0) + 1

    async def revive(self) -> None:
        """As a supervisor does with who ended because the database was away when it began. Nobody else may end."""
        for pid in [pid for pid in self.it.workers if not running_process(pid)]:
            self.it.workers.remove(pid)
            begun = await self.it.ask("select from worker where pid = $1", pid)
            said = (self.it.folder / "workers.log").read_text(errors="replace")[-3000:]
            assert not begun, f"worker {pid} ended by itself: {said}"
            self.it.note(f"ended {pid} before it began")
            await self.it.spawn(dead_after=LEASE)

    async def kill(self) -> None:
        if pid := await self.it.busy_worker(self.chance):
            await self.it.kill(pid)
            await self.it.spawn(dead_after=LEASE)

    async def nap(self) -> None:
        """Longer than the lease: whoever had a step then, that must not happen twice, is in doubt with reason."""
        if pid := await self.it.busy_worker(self.chance):
            os.kill(pid, signal.SIGSTOP)
            self.it.note(f"sigstop {pid}")
            await asyncio.sleep(0.1)
            self.it.predicted |= await self.it.unsure(pid)
            await asyncio.sleep(self.chance.uniform(0.5, 1.4) * LEASE)
            os.kill(pid, signal.SIGCONT)
            self.it.note(f"sigcont {pid}")

    async def deploy(self) -> None:
        """What it can't finish in its time is left where it stood."""
        pid = self.chance.choice(self.it.workers)
        doubtful = await self.it.unsure(pid)
        os.kill(pid, signal.SIGTERM)
        self.it.note(f"sigterm {pid}")
        self.it.workers.remove(pid)
        await self.it.spawn(dead_after=LEASE)
        self.it.predicted |= doubtful

    async def empty_redis(self) -> None:
        self.it.wipe_redis()

    async def redis_full(self) -> None:
        await self.it.redis("CONFIG", "SET", "maxmemory", "1")
        self.it.note("redis full")
        await asyncio.sleep(self.chance.uniform(0.5, 3))
        await self.it.redis("CONFIG", "SET", "maxmemory", "0")

    async def postgres(self) -> None:
        self.it.restart_postgres()

    async def backends(self) -> None:
        rows = await self.it.ask("select pid from pg_stat_activity where application_name like 'agentbase-%'")
        for row in self.chance.sample(rows, min(5, len(rows))):
            await self.it.ask("select pg_terminate_backend($1)", row["pid"])
        self.it.note("terminated backends")


async def asked_and_cancelled(it: World, done: asyncio.Event, chance: random.Random) -> None:
    """Runs that sleep and runs that ask; every third one of those that sleep is cancelled at some moment."""
    [(workspace, sleeping)] = await it.flow(steps.resting(2.0))
    [(_, asking)] = await it.flow(steps.asking())
    waiting, n = [], 0
    while not done.is_set():
        n += 1
        slept = await it.start(workspace, sleeping, f"sleeps-{n}")
        waiting.append(await it.start(workspace, asking, f"asks-{n}"))
        if n % 3 == 0:
            await again_until(lambda run=slept: service.cancel(workspace, run))
        if n % 2 == 0:
            await answered(workspace, waiting.pop(chance.randrange(len(waiting))))
        await asyncio.sleep(chance.uniform(0.2, 1.0))
    for run in waiting:
        await answered(workspace, run)


async def answered(workspace: object, run: object) -> None:
    for _ in range(2):
        await again_until(
            lambda: service.signal(workspace, run, "approval", {"choice": "approve"}, dedupe_key="the one answer")
        )


async def again_until(act: Callable[[], Awaitable[object]]) -> None:
    """As somebody does whose page says that the database is away."""
    from app.errors import Conflict

    for _ in range(600):
        try:
            await act()
        except Conflict:
            return
        except Exception:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("it could not be done for a minute")
