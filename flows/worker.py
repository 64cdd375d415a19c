"""The worker: claims runs, gives each to the engine in a task of its own, sweeps, and ends in good order.

It knows neither nodes nor plans: `advance` does the work of one claim. It is called once per claim and returns when
the run ended, sleeps, or is not ours any more.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

import asyncpg
from msgspec import Struct

from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_pool import OUTAGES
from flows.ledger.postgres_queue import Claimed, PostgresQueue
from flows.ledger.protocol import Claim, Fault, LostRun, RunChange
from flows.sweep import Swept, sweep
from flows.transport.protocol import LANES, Lane, Transport
from flows.worker_heart import Heart
from flows.worker_isolation import Isolation
from flows.worker_places import Places, Stop, Taken
from flows.worker_timings import Timings

log = logging.getLogger("agentbase.worker")


Advance = Callable[[Claimed, Stop], Awaitable[None]]


class Counters(Struct):
    """Since the start of this worker."""

    claimed: int = 0
    finished: int = 0
    lost: int = 0
    handed_back: int = 0
    broken: int = 0
    orphaned: int = 0


class Worker:
    def __init__(  # noqa: PLR0913
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        ledger: PostgresLedger,
        queue: PostgresQueue,
        transport: Transport,
        advance: Advance,
        heart: Heart,
        *,
        slots: int = 50,
        lanes: Sequence[Lane] = LANES,
        timings: Timings | None = None,
        on_swept: Callable[[Swept], None] | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        """`slots`: runs at once, see `Places`.

        `isolation`: starts a process for runs in quarantine. A worker without it, whose only lane is quarantine, is
        such a process: it ends when nothing is left for it.
        """
        self._pool = pool
        self._ledger = ledger
        self._queue = queue
        self._transport = transport
        self._advance = advance
        self._heart = heart
        self._isolated = tuple(lanes) == ("quarantine",)
        self._lanes = [lane for lane in LANES if lane in lanes and (lane != "quarantine" or self._isolated)]
        self._isolation = isolation
        self._timings = timings or Timings()
        self._on_swept = on_swept
        self._wake = asyncio.Event()
        self._due: set[Lane] = set()
        self._running = Places(slots)
        self._claiming = asyncio.Lock()
        self._busy_at = monotonic()
        self._stopping = asyncio.Event()
        self.counters = Counters()

    @property
    def busy(self) -> int:
        return len(self._running)

    def stop(self) -> None:
        """Begin to drain: nothing new is claimed. `run` returns within `drain` + 5 s. Safe in a signal handler of the
        loop.
        """
        self._stopping.set()
        self._wake.set()

    def wake(self, lane: Lane) -> None:
        self._due.add(lane)
        self._wake.set()

    def release(self, claim: Claim) -> None:
        """End our part of a run at its next step border; it goes on with another worker."""
        if (stop := self._running.stop_of(claim)) is not None:
            stop.pause.set()

    async def run(self) -> None:
        """Work until `stop`. Survives outages of PostgreSQL and Redis."""
        await self._patiently(self._queue.register)
        self._heart.start()
        housework = [
            (self._listen, 1.0),
            (self._sweep, self._timings.sweep),
            (self._ring, self._timings.ring),
            (self._watch, self._timings.watch_cancels),
            (self._own_up, self._timings.sweep),
            (self._look_after, self._timings.sweep),
        ]
        helpers = [asyncio.create_task(self._for_ever(act, period), name=act.__name__) for act, period in housework]
        try:
            while not self._stopping.is_set():
                await self._wake.wait()
                self._wake.clear()
                due, self._due = self._due, set()
                try:
                    await self._claim(due)
                except OUTAGES as outage:
                    log.warning("Can't claim: %r", outage)
                except Exception:  # a defect of ours in one round must not end the loop that serves every run
                    log.exception("Can't claim; it is tried again.")
        finally:
            await self._drain()
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers, timeout=3)
            if self._isolation is not None:
                await self._isolation.stop()
            await self._heart.stop()
            try:
                await self._queue.stopped()
            except OUTAGES:
                log.warning("Could not sign off; the others notice by the missing heartbeat.")

    async def _listen(self) -> None:
        await self._transport.listen(self._lanes, self.wake)

    async def _claim(self, due: set[Lane]) -> None:
        for lane in self._lanes:
            if lane not in due or self._stopping.is_set():
                continue
            free = self._running.free(lane)
            if free <= 0:
                self._due.add(lane)  # looked at again when a run ends
                continue
            async with self._claiming:
                claimed = await self._queue.claim(lane, free)
                for one in claimed:
                    self._start(one)
            if len(claimed) == free or (claimed and self._queue.more_lines()):
                self._due.add(lane)
                self._wake.set()
            elif lane == "bulk":
                self._running.bulk_waits = False

    async def _own_up(self) -> None:
        """Give back what is ours on paper only: nobody works on it, and our heartbeat would keep it from the others.

        So ends every way to lose a run without dying: a claim that was committed and whose answer got lost, a run that
        was given up because the database was away, an exception nobody thought of.
        """
        async with self._claiming:
            owned = await self._queue.owned()
            orphans = [claim for claim in owned if claim not in self._running]
        if orphans:
            log.warning("Gave back %d runs that nobody worked on.", len(orphans))
            await self._queue.hand_back(orphans)
            self.counters.orphaned += len(orphans)
            self._due.update(self._lanes)
            self._wake.set()

    async def _look_after(self) -> None:
        """Of ourselves: known to the database, heart beating, and as an isolated process still needed; of our child."""
        if self._heart.forgotten:
            await self._queue.register()
            self._heart.forgotten = False
        if not self._heart.beats:
            log.error("The heart of this worker has stopped. It ends, so that another one takes its place.")
            self.stop()
        if self._isolation is not None and not self._stopping.is_set():
            await self._isolation.look()
        if self._isolated and not self._running and monotonic() - self._busy_at > self._timings.linger:
            self.stop()

    def _start(self, claimed: Claimed) -> None:
        stop = Stop()
        self.counters.claimed += 1
        task = asyncio.create_task(self._one(claimed, stop), name=f"run {claimed.claim.run}")
        self._running.take(claimed.claim, Taken(task, stop, claimed.lane))
        task.add_done_callback(lambda _: self._ended(claimed))

    def _ended(self, claimed: Claimed) -> None:
        self._running.leave(claimed.claim)
        self._ledger.forget(claimed.claim)
        self._busy_at = monotonic()
        if claimed.limited:
            self._due.add(claimed.lane)
        if self._due:
            self._wake.set()

    async def _one(self, claimed: Claimed, stop: Stop) -> None:
        try:
            await self._advance(claimed, stop)
            self.counters.finished += 1
        except LostRun as lost:
            self.counters.lost += 1
            log.warning("%s", lost)
        except OUTAGES as outage:
            self.counters.lost += 1
            log.warning("Run %s: the database does not do it (%r). It is given back.", claimed.claim.run, outage)
        except Exception as error:  # the boundary of one run: it ends with the reason, the others go on
            self.counters.broken += 1
            log.exception("Run %s can't be advanced.", claimed.claim.run)
            await self._fail(claimed.claim, error)

    async def _fail(self, claim: Claim, error: Exception) -> None:
        """A defect of ours, or a version that can't be run here: the run ends with the reason instead of going in
        circles.
        """
        fault = Fault(f"The run could not go on: {error}", kind="internal")
        event = {"type": "run.failed", "run": claim.run, "error": fault.message}
        try:
            await self._ledger.write(claim, run=RunChange("failed", fault=fault), events=[event])
        except (LostRun, *OUTAGES) as lost:
            log.warning("%s", lost)

    async def _watch(self) -> None:
        """Tell the engine which of our runs somebody wants to end, and hand on signals that came meanwhile."""
        if not self._running:
            return
        claims = list(self._running)
        for claim in await self._queue.to_stop(claims):
            if (stop := self._running.stop_of(claim)) is not None:
                stop.cancel.set()
        for claim, id_, signal in await self._queue.signals(claims):
            given = self._ledger.given(claim)
            if (stop := self._running.stop_of(claim)) is not None and given is not None and id_ not in given:
                given[id_] = signal
                stop.signals.put_nowait(signal)

    async def _ring(self) -> None:
        for lane in await self._queue.wake_due():
            if lane in self._lanes:
                self.wake(lane)
            await self._transport.nudge(lane)

    async def _sweep(self) -> None:
        swept = await sweep(self._pool, cancel_grace=self._timings.cancel_grace, renudge=self._timings.renudge)
        if swept is None:
            return
        if swept.lost:
            log.warning("Took %d runs from workers that died.", swept.lost)
        for lane in swept.lanes:
            if lane in self._lanes:
                self.wake(lane)
            await self._transport.nudge(lane)
        if self._on_swept is not None:
            self._on_swept(swept)

    async def _for_ever(self, act: Callable[[], Awaitable[None]], period: float) -> None:
        while True:
            try:
                await act()
            except OUTAGES as outage:
                log.warning("%s: %r", act.__name__, outage)
            except Exception:  # sweeping must go on for as long as the process does, whatever one round met
                log.exception("The worker's housekeeping failed; it is tried again.")
            await asyncio.sleep(period * random.uniform(0.8, 1.2))  # noqa: S311  no secret

    async def _patiently(self, act: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await act()
                return
            except OUTAGES as outage:
                log.warning("Waiting for the database: %r", outage)
                await asyncio.sleep(1)

    async def _drain(self) -> None:
        """Let each run come to the end of its step, then give back what is left. Nobody is blamed for a crash."""
        self._heart.draining = True
        claims = list(self._running)
        tasks = [taken.task for taken in self._running.taken()]
        for taken in self._running.taken():
            taken.stop.pause.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._timings.drain)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=3)
        if not claims:
            return
        try:
            async with asyncio.timeout(3):
                await self._queue.hand_back(claims)
            self.counters.handed_back += len(claims)
        except OUTAGES:
            log.warning("Could not hand back %d runs; the others take them when our heartbeat is missed.", len(claims))
