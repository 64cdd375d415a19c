"""A fleet in one thread: the real engine on a model of the ledger, with crashes, naps and lost answers at every await.

Everything that happens is drawn from one seed, so a history that breaks an invariant can be played again. The model
does what the SQL does (postgres_sql.py, sweep.py): a claim raises the epoch, writes name it, leases end, late outcomes
count.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
from msgspec import Struct, structs

from flows.compile import compile
from flows.ledger.memory import MemoryLedger
from flows.ledger.protocol import FINAL, Claim, LostRun, RunChange, RunRow, StepChange, StepRow
from flows.model import Edge, Flow, NodeUse, Retry
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, NodeError, Wait, node
from flows.sdk.context import Signal
from flows.worker_places import Stop

OUTCOMES = ("step.succeeded", "step.failed", "step.skipped", "run.succeeded", "run.failed", "run.in_doubt")
LEASE, BEAT, SWEEP = 30.0, 10.0, 2.0
RESTS = 2 * LEASE
"""Long enough for a worker that slept to wake up while the run that was taken from it rests with another."""
ONCE = ("at_most_once", "probe")


class Killed(BaseException):
    """The process is gone: not even `finally` reaches anybody from here."""


class Broken(AssertionError):
    """An invariant does not hold. `name`: which."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


class Odds(Struct, frozen=True):
    """Per await of a worker: that it dies there, sleeps through its lease, or that an answer gets lost."""

    crash: float = 0.02
    nap: float = 0.01
    lost: float = 0.05
    fail: float = 0.1


class Guards(Struct):
    """What the ledger does; the mutants switch it off.

    `together`: what a step changes in the database and its record are one transaction. `late`: an outcome that comes
    late counts only for the try that is still open.
    """

    epoch: bool = True
    write_seq: bool = True
    leases: bool = True
    orphans: bool = True
    together: bool = True
    late: bool = True


class Database:
    """What PostgreSQL knows."""

    def __init__(self, guards: Guards) -> None:
        self.memory = MemoryLedger()
        self.guards = guards
        self.owner: dict[str, str] = {}
        self.seq: dict[str, int] = {}
        self.beats: dict[str, float] = {}
        self.wake: dict[str, float | None] = {}
        self.awaits: dict[str, tuple[str, ...]] = {}
        self.crashes: Counter[str] = Counter()
        self.stale = 0
        self.lost = 0

    def row(self, run: str) -> RunRow:
        return self.memory.runs[run]

    def put(self, run: str, **changes: Any) -> None:
        self.memory.runs[run] = structs.replace(self.row(run), **changes)

    def claim(self, worker: str, most: int) -> list[Claim]:
        queued = [run for run, row in self.memory.runs.items() if row.status == "queued"][:most]
        claims = [self.memory.claim(run) for run in queued]
        for claim in claims:
            self.owner[claim.run], self.seq[claim.run] = worker, 0
        return claims

    def owned(self, worker: str) -> list[Claim]:
        mine = [run for run, owner in self.owner.items() if owner == worker and self.row(run).status == "running"]
        return [Claim(run, self.memory.epochs[run]) for run in mine]

    def hand_back(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            if self.memory.epochs[claim.run] == claim.epoch and self.row(claim.run).status == "running":
                self.put(claim.run, status="queued")
                self.owner.pop(claim.run, None)

    async def write(
        self, claim: Claim, seq: int, steps: Sequence[StepChange], run: RunChange | None,
        events: Sequence[dict[str, Any]], used: Sequence[Signal],
    ) -> None:  # fmt: skip
        if not self.guards.together:
            for act in (act for step in steps for act in step.acts):
                await act(None)
            steps = [structs.replace(step, acts=()) for step in steps]
        current = self.memory.epochs[claim.run] == claim.epoch
        if current and self.guards.write_seq and self.seq[claim.run] >= seq:
            return  # applied by a try whose answer was lost
        if not current or self.row(claim.run).status != "running":
            if self.guards.epoch:
                raise LostRun(f"Run {claim.run}: epoch {claim.epoch} is over.")
            self.stale += 1
        self.seq[claim.run] = seq
        now = Claim(claim.run, self.memory.epochs[claim.run])
        await self.memory.write(now, steps, run, [{**event, "epoch": claim.epoch} for event in events], used)
        if any(step.status == "succeeded" for step in steps):
            self.crashes[claim.run] = 0
        if run is not None:
            self.owner.pop(claim.run, None)
            self.wake[claim.run], self.awaits[claim.run] = run.wake_at, run.signals

    def late(self, claim: Claim, step: StepChange) -> None:
        """The outcome of a try whose run was taken away, as long as nobody has begun another one."""
        row = self.row(claim.run)
        if row.status not in ("queued", "waiting", "in_doubt") or self.memory.epochs[claim.run] <= claim.epoch:
            return
        known = next((s for s in row.steps if (s.node, s.iter) == (step.node, step.iter)), None)
        open_ = known is not None and known.attempt == step.attempt and known.status in ("started", "in_doubt")
        if open_ or not self.guards.late:
            self.memory.runs[claim.run] = structs.replace(
                row, status="queued", fault=None,
                steps=[s if s is not known else structs.replace(s, status=step.status, output=step.output,
                       fault=step.fault, next_at=step.next_at) for s in row.steps],
            )  # fmt: skip

    def sweep(self, now: float) -> None:
        for run, row in list(self.memory.runs.items()):
            worker = self.owner.get(run)
            dead = worker is not None and now - self.beats[worker] > LEASE
            if row.status == "running" and dead and self.guards.leases:
                self.memory.epochs[run] += 1
                self.crashes[run] += 1
                self.lost += 1
                self.owner.pop(run)
                unsure = any(s.status == "started" and s.effect in ONCE for s in row.steps)
                self.wake[run] = now + LEASE if unsure else None
                self.put(run, status="waiting" if unsure else "queued")
            elif row.status == "waiting" and (due := self.wake.get(run)) is not None and due <= now:
                self.put(run, status="queued")
                self.wake[run] = None


class World:
    """What was really done, and by whom."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, str, int, bool]] = []  # kind, key, run, worker, epoch, stale
        self.done: Counter[str] = Counter()
        self.values: dict[str, str] = {}  # what the first call of a key got; a target that knows keys says it again


class Fleet:
    def __init__(self, seed: int, *, odds: Odds | None = None, guards: Guards | None = None) -> None:
        random.seed(seed)  # the engine draws its pauses from it
        self.chance = random.Random(seed)
        self.seed = seed
        self.odds = odds or Odds()
        self.db = Database(guards or Guards())
        self.world = World()
        self.count = 0
        self.crashed = self.napped = self.unheard = 0
        self.over = False
        self.kinds = _kinds(self)

    async def history(self, runs: int = 3, workers: int = 2) -> None:
        """Start everything, let it happen, stop the faults after a while, wait until it is quiet, check."""
        loop = asyncio.get_running_loop()
        plans: dict[str, Plan] = {}
        for n in range(runs):
            name = f"r{n}"
            plans[name] = compile(a_flow(self.chance), self.kinds)  # type: ignore[assignment]
            self.db.memory.open(name)
        fleet = {asyncio.ensure_future(Member(self, plans).live()) for _ in range(workers)}
        while any(row.status in ("queued", "running", "waiting") for row in self.db.memory.runs.values()):
            for gone in [task for task in fleet if task.done()]:
                fleet.discard(gone)
                fleet.add(asyncio.ensure_future(Member(self, plans).live()))
            await asyncio.sleep(1.0)
            if loop.time() > 600:
                self.odds = Odds(0, 0, 0, 0)  # the storm is over: now it has to come to an end
            if loop.time() > 3000:
                break
        self.over = True
        for task in fleet:
            task.cancel()
        await asyncio.gather(*fleet, return_exceptions=True)
        self.check(plans)

    def check(self, plans: dict[str, Plan]) -> None:
        rows = self.db.memory.runs
        open_ = {run: row.status for run, row in rows.items() if row.status not in (*FINAL, "in_doubt")}
        if open_:
            raise Broken("I1", f"still open: {open_}")
        # A worker that slept just before its call makes it when it wakes up (I5 allows that one): a probe that was
        # asked meanwhile rightly said "no". No ledger can close that gap, only a target that knows keys.
        applied = Counter(
            key for kind, key, *_, stale in self.world.calls if kind == "raw" or (kind == "probe" and not stale)
        )
        twice = {key: n for key, n in applied.items() if n > 1}
        if twice:
            raise Broken("I3", f"called twice without a key: {twice}")
        zombies = {key for kind, key, *_, stale in self.world.calls if stale and kind == "probe"}
        doubled = {step: n for step, n in self.world.done.items() if n > 1 and step not in zombies}
        if doubled:
            raise Broken("I2", f"applied twice: {doubled}")
        if self.db.stale:
            raise Broken("I4", f"{self.db.stale} writes of an epoch that was over")
        after = Counter((worker, run, key, epoch) for _, key, run, worker, epoch, stale in self.world.calls if stale)
        if any(n > 1 for n in after.values()):
            raise Broken("I5", f"a worker without a lease called again: {after}")
        for run, row in rows.items():
            events = [(e["type"], e.get("node"), e.get("iter"), e.get("attempt"), e["epoch"])
                      for e in self.db.memory.events[run]]  # fmt: skip
            again = [event for event, n in Counter(events).items() if n > 1 and event[0] in OUTCOMES]
            if again:
                raise Broken("I6", f"told twice: {again[:2]}")
            epochs = [event[-1] for event in events]
            if epochs != sorted(epochs):
                raise Broken("I4", f"epochs of events go back: {epochs}")
            if row.status == "succeeded":
                self._complete(run, row, plans[run])

    def _complete(self, run: str, row: RunRow, plan: Plan) -> None:
        left = [step.node for step in row.steps if step.status not in ("succeeded", "skipped", "failed")]
        if left or len(row.steps) != len(plan.steps):
            raise Broken("I7", f"{run} succeeded with {left} open, {len(row.steps)} of {len(plan.steps)} steps")
        for step in row.steps:
            if step.status == "succeeded" and step.effect != "pure" and not self.world.done[f"{run}:{step.node}"]:
                raise Broken("I2", f"{run}:{step.node} succeeded and never took effect")
        values = {step.node: msgspec.json.decode(step.output)["value"] for step in row.steps if step.output}
        for step in plan.steps:
            for source in {plan.steps[link.source].id for port in step.ports for link in port.links}:
                if (given := values[step.id]["of"]) != values[source]:
                    raise Broken("I14", f"{run}:{step.id} was given {given}, on record is {values[source]}")


class Member:
    """One worker process. `border`: where anything may happen to it."""

    def __init__(self, fleet: Fleet, plans: dict[str, Plan]) -> None:
        fleet.count += 1
        self.name, self.fleet, self.plans = f"w{fleet.count}", fleet, plans
        self.dead = False
        self.asleep_until = 0.0
        self.running: dict[Claim, asyncio.Task[Any]] = {}
        self.seqs: dict[Claim, int] = {}
        self.engine = Engine(fleet.kinds, self)
        self.housework: list[asyncio.Task[None]] = []

    async def border(self) -> None:
        fleet, loop = self.fleet, asyncio.get_running_loop()
        draw = fleet.chance.random()
        if draw < fleet.odds.crash and not fleet.over:
            self.dead = True
            fleet.crashed += 1
            for task in [*self.running.values(), *self.housework]:
                task.cancel()
        elif draw < fleet.odds.crash + fleet.odds.nap:
            fleet.napped += 1
            self.asleep_until = loop.time() + LEASE * fleet.chance.uniform(0.5, 3)
        if self.dead:
            raise Killed
        await asyncio.sleep(fleet.chance.choice((0, 0.001, 0.05, 0.5)))
        while loop.time() < self.asleep_until:
            await asyncio.sleep(self.asleep_until - loop.time())
        if self.dead:
            raise Killed

    def unheard(self) -> bool:
        lost = self.fleet.chance.random() < self.fleet.odds.lost
        self.fleet.unheard += lost
        return lost

    async def live(self) -> None:
        MEMBER.set(self)
        db = self.fleet.db
        db.beats[self.name] = asyncio.get_running_loop().time()
        self.housework = [asyncio.ensure_future(each) for each in (self.beat(), self.sweep())]
        try:
            while not self.dead:
                await self.border()
                claims = db.claim(self.name, 2)
                if claims and self.unheard():
                    continue  # committed, and we never hear of it
                for claim in claims:
                    task = asyncio.ensure_future(self.one(claim))
                    self.running[claim] = task
                    task.add_done_callback(lambda _, claim=claim: self.running.pop(claim, None))
                await asyncio.sleep(2.0)
        except Killed:
            return
        finally:
            self.dead = True
            for task in [*self.housework, *self.running.values()]:
                task.cancel()

    async def one(self, claim: Claim) -> None:
        try:
            await self.engine.advance(claim, self.plans[claim.run], stop=Stop())
        except (LostRun, Killed):
            return

    async def beat(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.dead:
            while loop.time() < self.asleep_until:
                await asyncio.sleep(self.asleep_until - loop.time())
            self.fleet.db.beats[self.name] = loop.time()
            await asyncio.sleep(BEAT)

    async def sweep(self) -> None:
        """Of all runs; and of those that are ours and that nobody here works on."""
        loop = asyncio.get_running_loop()
        while not self.dead:
            if loop.time() >= self.asleep_until:
                self.fleet.db.sweep(loop.time())
                orphans = [claim for claim in self.fleet.db.owned(self.name) if claim not in self.running]
                if self.fleet.db.guards.orphans:
                    self.fleet.db.hand_back(orphans)
            await asyncio.sleep(SWEEP)

    # --- the ledger, as this worker reaches it

    async def load(self, claim: Claim) -> RunRow:
        await self.border()
        if self.fleet.db.memory.epochs[claim.run] != claim.epoch:
            raise LostRun(claim.run)
        row = self.fleet.db.row(claim.run)
        await self.border()
        return row

    async def rounds(self, claim: Claim, iters: Sequence[str]) -> Sequence[StepRow]:
        await self.border()
        return await self.fleet.db.memory.rounds(claim, iters)

    async def keep(self, claim: Claim, values: Mapping[str, bytes]) -> None:
        await self.border()
        await self.fleet.db.memory.keep(claim, values)

    async def fetch(self, claim: Claim, hash: str) -> bytes:
        await self.border()
        return await self.fleet.db.memory.fetch(claim, hash)

    async def write(
        self, claim: Claim, steps: Sequence[StepChange] = (), run: RunChange | None = None,
        events: Sequence[dict[str, Any]] = (), used: Sequence[Signal] = (),
    ) -> None:  # fmt: skip
        self.seqs[claim] = seq = self.seqs.get(claim, 0) + 1
        while True:
            await self.border()
            try:
                await self.fleet.db.write(claim, seq, steps, run, events, used)
            except LostRun:
                for step in steps:
                    if step.status in ("succeeded", "failed", "backoff") and step.effect != "pure" and not step.acts:
                        self.fleet.db.late(claim, step)
                raise
            if not self.unheard():
                break
        await self.border()


class Nothing(Struct, frozen=True): ...


class Value(Struct, frozen=True):
    value: Any = None


MEMBER: ContextVar[Member] = ContextVar("the process a step runs in")


def _kinds(fleet: Fleet) -> dict[str, Any]:
    """Each gives what it made, of what it was given: so the record shows who went on with which value."""
    world = fleet.world

    async def act(kind: str, ctx: Context, inputs: Value) -> Value:
        member = MEMBER.get()
        await member.border()
        claims = [claim for claim in member.running if claim.run == ctx.run_id]
        epoch = max((claim.epoch for claim in claims), default=0)
        stale = fleet.db.memory.epochs[ctx.run_id] != epoch
        key = ctx.idempotency_key if kind == "idem" else ctx.step_key
        first = not any(call[1] == key for call in world.calls)
        world.calls.append((kind, key, ctx.run_id, member.name, epoch, stale))
        made = f"{kind} {len(world.calls)}"
        world.values.setdefault(key, made)
        if first or kind not in ("idem", "costed"):
            world.done[ctx.step_key] += 1
        await member.border()
        if kind in ("idem", "costed") and fleet.chance.random() < fleet.odds.fail:
            raise NodeError("It did not work this time.", retry=True)
        return _of(world.values[key] if kind == "idem" else made, inputs)

    @node("sim.idem", version=1, title="With a key", effect="idempotent")
    async def idem(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        return await act("idem", ctx, inputs)

    @node("sim.once", version=1, title="Without a key", effect="at_most_once")
    async def once(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        return await act("raw", ctx, inputs)

    @node("sim.costed", version=1, title="Says something else each time", effect="repeatable_costed")
    async def costed(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        return await act("costed", ctx, inputs)

    async def happened(settings: Nothing, inputs: Value, ctx: Context) -> Value | None:
        await MEMBER.get().border()
        return _of(world.values[ctx.step_key], inputs) if world.done[ctx.step_key] else None

    @node("sim.probe", version=1, title="Can be asked", effect="probe", probe=happened)
    async def probed(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        return await act("probe", ctx, inputs)

    @node("sim.keep", version=1, title="Changes the database", effect="db")
    async def keep(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        await MEMBER.get().border()
        step = ctx.step_key

        async def changed(connection: Any) -> None:
            world.done[step] += 1

        ctx.with_outcome(changed)
        return _of("kept", inputs)

    @node("sim.pure", version=1, title="Computes", effect="pure")
    async def pure(settings: Nothing, inputs: Value, ctx: Context) -> Value:
        return _of("computed", inputs)

    @node("sim.rest", version=1, title="Rests", effect="pure", waits=True)
    async def rest(settings: Nothing, inputs: Value, ctx: Context) -> Value | Wait:
        return _of("rested", inputs) if ctx.signal is not None else Wait(seconds=RESTS)

    return {kind.name: kind for kind in (idem, once, costed, probed, keep, pure, rest)}


def _of(made: str, inputs: Value) -> Value:
    return Value({"made": made, "of": inputs.value})


KINDS = ("sim.idem", "sim.idem", "sim.once", "sim.costed", "sim.probe", "sim.keep", "sim.pure", "sim.rest")


def a_flow(chance: random.Random) -> Flow:
    """Up to three chains side by side, of up to three steps."""
    nodes, edges = [NodeUse("start", "sim.pure")], []
    for branch in range(chance.randint(1, 3)):
        last = "start"
        for depth in range(chance.randint(1, 3)):
            kind = chance.choice(KINDS)
            name = f"{kind[4:]}{branch}{depth}"
            nodes.append(NodeUse(name, kind, retry=Retry(20, 0.5)))
            edges.append(Edge(f"{last}.value", f"{name}.value"))
            last = name
    return Flow(nodes, edges)
