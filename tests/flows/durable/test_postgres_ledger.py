"""The PostgreSQL ledger under the conformance suite of all ledgers, and what only it can show."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app import db as database
from app.db import system_tx
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import Member, PostgresQueue
from flows.ledger.postgres_verbs import NewRun, cancel_run, run_again, signal_run, start_run
from flows.ledger.protocol import Claim, LostRun, RunChange, StepChange, awaited
from flows.sdk.context import Signal, Wait
from flows.sweep import crashed, sweep
from tests.factories.runs import a_chain, a_version
from tests.flows.ledger_conformance import LedgerConformance


class PostgresBench:
    def __init__(self, pool: Any, version: tuple[UUID, UUID, UUID]) -> None:
        self.pool, self.version = pool, version
        self.ledger = PostgresLedger(pool, patience=3)
        self.me = Member(uuid4(), uuid4(), "test", 1, 50, ("normal",), dead_after=30)
        self.queue = PostgresQueue(pool, self.ledger, self.me)

    async def open(self, input: dict[str, Any] | None = None) -> str:
        workspace, flow, version = self.version
        text = msgspec.json.encode(input or {}).decode()
        async with system_tx("test") as tx:
            return str((await start_run(tx, NewRun(workspace, flow, version, text, "test"))).id)

    async def claim(self, run: str) -> Claim:
        async with system_tx("test") as tx:
            row = await tx.fetchrow(
                """update run set status = 'running', epoch = epoch + 1, write_seq = 0, owner_worker = $2 where id = $1
                   returning *, cancel_requested_at is not null as cancel, null::float8 as deadline_in,
                             true as has_signals""",
                run,
                self.me.id,
            )
        return self.ledger.took(row)

    async def signal(self, run: str, signal: Signal) -> None:
        async with system_tx("test") as tx:
            await signal_run(tx, run, signal.name, msgspec.json.encode(signal.data).decode(), sender=signal.by)

    async def cancel(self, run: str) -> None:
        async with system_tx("test") as tx:
            await cancel_run(tx, run)

    async def status(self, run: str) -> str:
        async with system_tx("test") as tx:
            return str(await tx.fetchval("select status from run where id = $1", run))

    async def events(self, run: str) -> list[dict[str, Any]]:
        async with system_tx("test") as tx:
            rows = await tx.fetch(
                "select payload from run_event where run_id = $1 and type <> 'run.queued' order by seq", run
            )
        return [msgspec.json.decode(row["payload"]) for row in rows]


@pytest.fixture
async def bench(db):
    pool = await database.open_pool("system", "worker", least=0, most=5)
    made = PostgresBench(pool, await a_version(a_chain(3)))
    await made.queue.register()
    yield made
    pool.terminate()


class TestPostgresLedger(LedgerConformance):
    pass


async def gone_quiet(bench: PostgresBench) -> None:
    async with system_tx("test") as tx:
        await tx.execute("update worker set stopped_at = now() - interval '1 hour' where id = $1", bench.me.id)


async def test_two_workers_never_get_the_same_run(bench):
    runs = [await bench.open() for _ in range(30)]
    other = PostgresQueue(bench.pool, bench.ledger, Member(uuid4(), uuid4(), "test", 2, 50, ("normal",)))
    took = await asyncio.gather(*(queue.claim("normal", 7) for queue in (bench.queue, other) * 4))
    ids = [one.claim.run for part in took for one in part]
    assert len(ids) == len(set(ids)) and set(runs) & set(ids)


async def test_the_outcome_of_a_lost_worker_still_counts_while_nobody_else_began(bench):
    claim = await bench.claim(await bench.open())
    await bench.ledger.write(claim, [StepChange("pay", "", "started", 1, "at_most_once")])
    await gone_quiet(bench)
    await sweep(bench.pool)
    assert await bench.status(claim.run) == "waiting"  # one more lease for the outcome to come
    with pytest.raises(LostRun):
        await bench.ledger.write(claim, [StepChange("pay", "", "succeeded", 1, "at_most_once", '{"ok":1}')])
    assert await bench.status(claim.run) == "queued"
    row = await bench.ledger.load(await bench.claim(claim.run))
    assert [(s.node, s.status, s.output) for s in row.steps] == [("pay", "succeeded", '{"ok":1}')]


async def test_an_outcome_that_comes_after_the_next_claim_is_refused(bench):
    claim = await bench.claim(await bench.open())
    await bench.ledger.write(claim, [StepChange("mail", "", "started", 1, "idempotent")])
    newer = await bench.claim(claim.run)
    with pytest.raises(LostRun):
        await bench.ledger.write(claim, [StepChange("mail", "", "succeeded", 1, "idempotent", "{}")])
    assert (await bench.ledger.load(newer)).steps[0].status == "started"


async def test_an_outcome_that_comes_after_the_step_was_done_again_is_refused(bench):
    """Its run rests: what came after the step went on with the newer value."""
    slept = await bench.claim(await bench.open())
    await bench.ledger.write(slept, [StepChange("ask", "", "started", 1, "repeatable_costed")])
    newer = await bench.claim(slept.run)
    await bench.ledger.write(newer, [StepChange("ask", "", "started", 2, "repeatable_costed")])
    rest = StepChange("rest", "", "waiting", 1, "pure", wait=Wait(seconds=3600))
    done = StepChange("ask", "", "succeeded", 2, "repeatable_costed", '{"text":"new"}')
    await bench.ledger.write(newer, [done, rest], RunChange("waiting"))
    for attempt in (1, 2):
        with pytest.raises(LostRun):
            late = StepChange("ask", "", "succeeded", attempt, "repeatable_costed", '{"text":"old"}')
            await bench.ledger.write(slept, [late])
    assert await bench.status(slept.run) == "waiting"
    row = await bench.ledger.load(await bench.claim(slept.run))
    assert next(step.output for step in row.steps if step.node == "ask") == '{"text":"new"}'


async def crash_state(run: str) -> tuple[str, str, int]:
    async with system_tx("test") as tx:
        row = await tx.fetchrow("select status, lane, crash_count from run where id = $1", run)
    return row["status"], row["lane"], row["crash_count"]


async def begun(bench: PostgresBench, run: str, attempt: int = 1) -> Claim:
    """Claimed, and in the middle of a step."""
    claim = await bench.claim(run)
    await bench.ledger.write(claim, [StepChange("boom", "", "started", attempt, "idempotent")])
    return claim


async def lost(bench: PostgresBench) -> None:
    """Its worker is gone, and the sweeper has seen it."""
    await gone_quiet(bench)
    await sweep(bench.pool)


async def test_three_crashes_isolate_a_run_and_two_more_that_it_had_alone_end_it_with_the_evidence(bench):
    run = await bench.open()
    for crash in range(1, 4):
        await begun(bench, run, crash)
        await lost(bench)
        assert await crash_state(run) == ("queued", "quarantine" if crash == 3 else "normal", crash)
    for attempt in range(4, 14):  # its worker is killed again and again, and nobody saw that it was the run
        await begun(bench, run, attempt)
        await lost(bench)
        assert await crash_state(run) == ("queued", "quarantine", 3)
    for crash, status in ((4, "queued"), (5, "dead")):
        await begun(bench, run, crash + 10)
        assert await crashed(bench.pool, bench.me.id, -11) == 1
        assert await crash_state(run) == (status, "quarantine", crash)
    async with system_tx("test") as tx:
        error = await tx.fetchval("select error from run where id = $1", run)
        event = await tx.fetchval("select payload from run_event where run_id = $1 order by seq desc limit 1", run)
    assert "5 times" in error and "killed by signal 11" in error and "boom" in error
    told = msgspec.json.decode(event)
    assert (told["type"], told["alone"], told["steps"], told["begun"]) == ("run.dead", True, ["boom"], True)


async def test_a_crash_before_anything_of_a_run_had_begun_is_not_held_against_it(bench):
    """F-18 under load: a neighbour's crash was counted, and the run that kills its process had four tries, not five."""
    run = await bench.open()
    await begun(bench, run)
    await lost(bench)
    await bench.claim(run)  # the step is on record as begun, but by the claim before
    await lost(bench)
    assert await crash_state(run) == ("queued", "normal", 1)
    for crash, lane in ((2, "normal"), (3, "quarantine")):
        await begun(bench, run, crash)
        await lost(bench)
        assert await crash_state(run) == ("queued", lane, crash)
    for crash, status in ((4, "queued"), (5, "dead")):
        await begun(bench, run, crash)
        assert await crashed(bench.pool, bench.me.id, -11) == 1
        assert await crash_state(run) == (status, "quarantine", crash)


async def test_a_run_that_kills_its_process_before_a_step_is_on_record_is_isolated_and_given_up_too(bench):
    """Of steps that only compute nothing is on record until they have ended."""
    run = await bench.open()
    for lane in ("normal", "normal", "quarantine"):
        await bench.claim(run)
        await lost(bench)
        assert await crash_state(run) == ("queued", lane, 0)
    await bench.claim(run)
    await lost(bench)  # nobody saw it
    assert await crash_state(run) == ("queued", "quarantine", 0)
    for state in (("queued", "quarantine", 0), ("dead", "quarantine", 5)):
        await bench.claim(run)
        assert await crashed(bench.pool, bench.me.id, -9) == 1
        assert await crash_state(run) == state
    async with system_tx("test") as tx:
        assert "5 times" in await tx.fetchval("select error from run where id = $1", run)
        assert await run_again(tx, run, "a person") == "normal"
    await bench.claim(run)
    await lost(bench)
    assert await crash_state(run) == ("queued", "normal", 0)


async def test_a_step_that_succeeds_between_two_crashes_clears_the_blame(bench):
    other = await bench.open()
    await begun(bench, other)
    await lost(bench)
    assert (await crash_state(other))[2] == 1
    await bench.ledger.write(await bench.claim(other), [StepChange("a", "", "succeeded", 1, "idempotent", "{}")])
    assert (await crash_state(other))[2] == 0


async def test_a_value_that_postgresql_refuses_harms_only_its_own_run(bench):
    good, bad = await bench.claim(await bench.open()), await bench.claim(await bench.open())
    results = await asyncio.gather(
        bench.ledger.write(good, [StepChange("a", "", "succeeded", 1, "pure", '{"x":1}')], RunChange("succeeded")),
        bench.ledger.write(bad, [StepChange("a\0", "", "succeeded", 1, "pure", "{}")]),
        return_exceptions=True,
    )
    assert results[0] is None and isinstance(results[1], Exception)
    assert await bench.status(good.run) == "succeeded"


async def test_a_worker_without_a_node_type_leaves_its_runs_to_others_and_nobody_means_a_reason(bench):
    run = await bench.open()
    nodes = {"start.webhook": 1, "data.set": 1}
    without = PostgresQueue(
        bench.pool, bench.ledger, Member(uuid4(), uuid4(), "old", 3, 50, ("normal",), kinds={**nodes, "show.answer": 0})
    )
    await without.register()
    assert run not in {one.claim.run for one in await without.claim("normal", 50)}
    assert await bench.status(run) == "queued"
    await bench.queue.stopped()
    async with system_tx("test") as tx:
        await tx.execute("update worker set stopped_at = now() where id <> $1", without._member.id)
        await tx.execute("update run set queued_at = now() - interval '1 hour' where id = $1", run)
    await sweep(bench.pool)
    async with system_tx("test") as tx:
        row = await tx.fetchrow("select status, error from run where id = $1", run)
    assert row["status"] == "failed" and "show.answer" in row["error"]


async def test_a_worker_with_the_node_types_takes_the_run(bench):
    run = await bench.open()
    kinds = {"start.webhook": 1, "data.set": 2, "show.answer": 1}
    able = PostgresQueue(bench.pool, bench.ledger, Member(uuid4(), uuid4(), "new", 4, 50, ("normal",), kinds=kinds))
    await able.register()
    taken = [one.claim.run for _ in range(20) for one in await able.claim("normal", 50)]
    assert run in taken


async def test_a_run_with_something_to_undo_is_woken_when_it_is_cancelled_or_late_and_nobody_ends_it_by_force(bench):
    for how in ("cancelled", "late"):
        run = await bench.open()
        claim = await bench.claim(run)
        armed = StepChange("u", "", "succeeded", 1, "undo", '{"value":1,"order":1}')
        await bench.ledger.write(claim, [armed], RunChange("waiting", signals=("approval",)))
        if how == "cancelled":
            async with system_tx("test") as tx:
                assert await cancel_run(tx, run) == "asked"
        else:
            async with system_tx("test") as tx:
                await tx.execute(
                    "update run set deadline_at = clock_timestamp() - interval '1 minute' where id = $1", run
                )
            await sweep(bench.pool)
        assert await bench.status(run) == "queued"
        claim = await bench.claim(run)
        undoing = StepChange(
            "u", "", "started", 1, "undo", '{"value":1,"order":1}', signal=Signal("undo", {"status": "failed"})
        )
        await bench.ledger.write(claim, [undoing])
        await sweep(bench.pool, cancel_grace=0)
        assert await bench.status(run) == "running"
        row = (await bench.ledger.load(claim)).steps[0]
        assert row.signal == Signal("undo", {"status": "failed"}) and row.effect == "undo"
        done = StepChange("u", "", "succeeded", 1, "undo", '{"value":1,"order":1}', handled=True)
        await bench.ledger.write(claim, [done], RunChange("failed"))
        assert await bench.status(run) == "failed"


async def test_a_signal_for_one_step_wakes_the_run_only_for_that_step(bench):
    run = await bench.open()
    claim = await bench.claim(run)
    waiting = [StepChange("ask", str(i), "waiting", wait=Wait(signal="approval")) for i in range(2)]
    names = tuple(name for i in range(2) for name in awaited("approval", "ask", str(i)))
    await bench.ledger.write(claim, waiting, RunChange("waiting", signals=names))
    async with system_tx("test") as tx:
        assert await signal_run(tx, run, "approval", "1", step="ask:7") is None
    assert await bench.status(run) == "waiting"
    claim = await bench.claim(run)
    await bench.ledger.write(claim, (), RunChange("waiting", signals=names))
    assert await bench.status(run) == "waiting", "what nobody waits for must not keep it awake"
    async with system_tx("test") as tx:
        assert await signal_run(tx, run, "approval", "2", step="ask:1") == "normal"
    claim = await bench.claim(run)
    assert [signal.step for signal in (await bench.ledger.load(claim)).signals] == ["ask:7", "ask:1"]
