"""Who starts a process for a run in quarantine; and what becomes of a cancelled run whose worker died."""

import asyncio
from uuid import UUID, uuid4

import pytest

from app.db import system_tx
from flows import worker_isolation
from flows.ledger.postgres_queue import Member, PostgresQueue
from flows.ledger.postgres_verbs import cancel_run
from flows.ledger.protocol import StepChange
from flows.sweep import sweep
from flows.worker_isolation import Isolation
from tests.flows.durable import test_postgres_ledger

bench = test_postgres_ledger.bench
crash_state = test_postgres_ledger.crash_state


class Fleet:
    """Workers that start processes which never come up."""

    def __init__(self, bench) -> None:
        self.bench = bench
        self.started: list[UUID] = []
        self.members: dict[UUID, Isolation] = {}

    async def join(self) -> UUID:
        me = Member(uuid4(), uuid4(), "test", 1, 5, ("normal",), dead_after=30.0)
        await PostgresQueue(self.bench.pool, self.bench.ledger, me).register()

        async def start(child: UUID) -> asyncio.subprocess.Process:
            self.started.append(child)
            await asyncio.Event().wait()
            raise AssertionError

        self.members[me.id] = Isolation(self.bench.pool, me.id, start, dead_after=30.0)
        return me.id

    async def look(self, worker: UUID) -> int:
        """How many processes are being started after this worker looked."""
        await self.members[worker].look()
        await asyncio.sleep(0)
        return len(self.started)

    async def end(self) -> None:
        for one in self.members.values():
            if one._task is not None:
                one._task.cancel()
                await asyncio.wait({one._task})


@pytest.fixture
async def fleet(bench):
    async with system_tx("test") as tx:  # what other tests left there
        await tx.execute("update run set lane = 'normal' where lane = 'quarantine' and status = 'queued'")
        await tx.execute("update worker set stopped_at = now() where lanes = '{quarantine}'")
    made = Fleet(bench)
    yield made
    await made.end()


async def quarantined(bench) -> None:
    run = await bench.open()
    async with system_tx("test") as tx:
        await tx.execute("update run set lane = 'quarantine' where id = $1", run)


async def test_one_process_is_started_for_each_run_over_all_workers(bench, fleet):
    workers = [await fleet.join() for _ in range(3)]
    assert await fleet.look(workers[0]) == 0
    await quarantined(bench)
    assert [await fleet.look(worker) for worker in workers] == [1, 1, 1]
    await quarantined(bench)
    assert [await fleet.look(worker) for worker in workers] == [1, 2, 2]


@pytest.mark.parametrize(
    "end", ["heartbeat_at = now() - interval '1 minute'", "stopped_at = now()"], ids=["killed", "drained"]
)
async def test_a_process_that_was_being_started_when_its_parent_died_keeps_nobody_from_starting_another(
    bench, fleet, monkeypatch, end
):
    """F-34 under load: the run stood in quarantine for a minute, though two other workers were there."""
    # The server of these tests may have been started within the lease.
    monkeypatch.setattr(
        worker_isolation, "RESERVE", worker_isolation.RESERVE.replace("pg_postmaster_start_time()", "'-infinity'")
    )
    first, second = await fleet.join(), await fleet.join()
    await quarantined(bench)
    assert await fleet.look(first) == 1
    assert await fleet.look(second) == 1
    async with system_tx("test") as tx:
        await tx.execute(f"update worker set {end} where id = $1", first)
    assert await fleet.look(second) == 2


@pytest.mark.parametrize(
    ("effect", "step", "becomes"),
    [("idempotent", "started", "cancelled"), ("at_most_once", "started", "cancelled"), ("undo", "succeeded", "queued")],
)
async def test_a_cancelled_run_whose_worker_died_ends_at_once_unless_it_has_to_undo(bench, effect, step, becomes):
    """Nobody has to be found to end it: in quarantine that takes a process of its own."""
    claim = await bench.claim(await bench.open())
    await bench.ledger.write(claim, [StepChange("a", "", step, 1, effect, '{"value":1,"order":1}')])
    await bench.ledger.write(claim, [StepChange("b", "", "backoff", 1, "idempotent", next_at=0)])
    async with system_tx("test") as tx:
        assert await cancel_run(tx, claim.run) == "asked"
    await test_postgres_ledger.gone_quiet(bench)
    await sweep(bench.pool)
    assert await bench.status(claim.run) == becomes
    async with system_tx("test") as tx:
        waiting = await tx.fetchval("select status from node_exec where run_id = $1 and node_id = 'b'", claim.run)
        told = await tx.fetchval(
            "select count(*) from run_event where run_id = $1 and type = 'run.cancelled'", claim.run
        )
    assert (waiting, told) == (("cancelled", 1) if becomes == "cancelled" else ("backoff", 0))


async def test_a_run_leaves_quarantine_when_all_that_was_under_way_has_ended(bench):
    """Hundreds may get there by no fault of theirs; one by one they must not run there to their end."""
    cleared = []
    bench.ledger._on_cleared = cleared.append
    claim = await bench.claim(await bench.open())
    begun = [StepChange(name, "", "started", 1, "idempotent") for name in "ab"]
    await bench.ledger.write(claim, begun)
    async with system_tx("test") as tx:
        await tx.execute("update run set lane = 'quarantine', crash_count = 3 where id = $1", claim.run)
    done = [StepChange(name, "", "succeeded", 1, "idempotent", "{}") for name in "ab"]
    await bench.ledger.write(claim, [StepChange("c", "", "succeeded", 1, "pure", "{}"), begun[0]])
    assert (await crash_state(claim.run), cleared) == (("running", "quarantine", 0), [])
    await bench.ledger.write(claim, [done[0]])  # b may still be the one that kills its process
    assert (await crash_state(claim.run), cleared) == (("running", "quarantine", 0), [])
    await bench.ledger.write(claim, [done[1], StepChange("d", "", "started", 1, "idempotent")])
    assert (await crash_state(claim.run), cleared) == (("running", "normal", 0), [claim])
