"""Rule 68 on PostgreSQL: what a step changes and that it is done are one transaction."""

import asyncpg
import pytest

from app.db import system_tx
from flows.compile import compile
from flows.ledger.postgres import PostgresLedger
from flows.ledger.protocol import LostRun, StepChange
from flows.model import NodeUse
from flows.plan import Plan
from flows.run import Engine
from flows.sdk import Context, Nothing, node
from tests.flows.durable import test_postgres_ledger
from tests.flows.nodes import Log, Text, flow, nodes

bench = test_postgres_ledger.bench

NOTE = """
insert into outbox (workspace_id, kind, dedupe_key, payload)
select workspace_id, 'noted', $2::int::text, '{}' from run where id = $1
"""


def noting(seq: int, calls: list[int] | None = None):
    async def act(connection) -> None:
        if calls is not None:
            calls.append(seq)
        await connection.execute(NOTE, noting.run, seq)

    return act


async def noted(run) -> list[int]:
    async with system_tx("test") as tx:
        rows = await tx.fetch(
            """select o.dedupe_key::int as seq from outbox o join run r using (workspace_id)
                where r.id = $1 and o.kind = 'noted' order by seq""",
            run,
        )
    return [row["seq"] for row in rows]


async def begun(bench):
    run = noting.run = await bench.open()
    return run, await bench.claim(run)


def done(act) -> StepChange:
    return StepChange("a", "", "succeeded", effect="db", output="{}", acts=(act,))


async def test_the_change_and_the_record_have_one_transaction(bench):
    run, claim = await begun(bench)
    await bench.ledger.write(claim, [StepChange("a", "", "started", effect="db")])
    await bench.ledger.write(claim, [done(noting(1))])
    async with system_tx("test") as tx:
        ids = await tx.fetch(
            """select xmin::text from node_exec where run_id = $1 union all
               select o.xmin::text from outbox o join run r using (workspace_id)
                where r.id = $1 and o.kind = 'noted'""",
            run,
        )
    assert len(ids) == 2 and len({row["xmin"] for row in ids}) == 1


async def test_a_worker_that_lost_the_run_changes_nothing_and_the_next_one_does_it_once(bench):
    run, old = await begun(bench)
    await bench.ledger.write(old, [StepChange("a", "", "started", effect="db")])
    async with system_tx("test") as tx:
        await tx.execute("update run set status = 'queued', owner_worker = null, epoch = epoch + 1 where id = $1", run)
    with pytest.raises(LostRun):
        await bench.ledger.write(old, [done(noting(1))])
    assert await noted(run) == []
    new = await bench.claim(run)
    (row,) = (await bench.ledger.load(new)).steps
    assert row.status == "started"  # not told late: it did not happen
    await bench.ledger.write(new, [done(noting(2))])
    assert await noted(run) == [2]


async def test_a_write_whose_answer_was_lost_is_not_done_twice(bench, monkeypatch):
    run, claim = await begun(bench)
    calls: list[int] = []
    send, lost = bench.ledger._send, []

    async def losing(writes):
        found = await send(writes)
        if not lost:
            lost.append(1)
            raise ConnectionResetError("the answer got lost after the commit")
        return found

    monkeypatch.setattr(bench.ledger, "_send", losing)
    await bench.ledger.write(claim, [done(noting(1, calls))])
    assert (await noted(run), calls, lost) == ([1], [1], [1])


async def test_a_change_that_the_database_refuses_records_nothing_of_the_step(bench):
    run, claim = await begun(bench)
    await bench.ledger.write(claim, [StepChange("a", "", "started", effect="db")])

    async def twice(connection) -> None:
        await noting(1)(connection)
        await noting(1)(connection)

    with pytest.raises(asyncpg.UniqueViolationError):
        await bench.ledger.write(claim, [done(twice)])
    assert await noted(run) == []
    await bench.ledger.write(claim, [done(noting(3))])
    assert await noted(run) == [3]


async def test_a_ledger_that_changes_and_records_apart_is_caught_by_this_file(bench):
    """The test of the tests: the mutant acts first, in a transaction of its own."""

    class Apart(PostgresLedger):
        async def _send(self, writes):
            async with self._pool.acquire() as connection:
                for act in (act for write in writes for step in write.steps for act in step.acts):
                    await act(connection)
            for write in writes:
                write.steps = [StepChange("a", "", "succeeded", effect="db", output="{}")]
            return await super()._send(writes)

    bench.ledger = bench.queue._ledger = Apart(bench.ledger._pool, patience=3)
    with pytest.raises(AssertionError):
        await test_a_worker_that_lost_the_run_changes_nothing_and_the_next_one_does_it_once(bench)


async def test_the_engine_hands_over_what_a_step_of_this_effect_asks_for(bench):
    run, claim = await begun(bench)

    @node("keep", version=1, title="Keep", effect="db")
    async def keep(settings: Nothing, inputs: Nothing, ctx: Context) -> Text:
        ctx.with_outcome(noting(7))
        return Text("kept")

    @node("wrong", version=1, title="Wrong", effect="idempotent")
    async def wrong(settings: Nothing, inputs: Nothing, ctx: Context) -> Text:
        ctx.with_outcome(noting(8))
        return Text("kept")

    kinds = {**nodes(Log()), "keep": keep, "wrong": wrong}
    plan = compile(flow(NodeUse("a", "keep")), kinds)
    assert isinstance(plan, Plan) and not plan.express
    outcome = await Engine(kinds, bench.ledger).advance(claim, plan)
    assert (outcome.status, await noted(run)) == ("succeeded", [7])
    _, other = await begun(bench)
    bad = compile(flow(NodeUse("a", "wrong")), kinds)
    assert isinstance(bad, Plan)
    refused = await Engine(kinds, bench.ledger).advance(other, bad)
    assert refused.status == "failed" and refused.fault is not None and 'effect="db"' in refused.fault.message
