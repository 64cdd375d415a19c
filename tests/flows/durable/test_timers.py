"""Runs that wait for the clock: queued when it is time, by any worker, once."""

import asyncio
from uuid import uuid4

from app import db as database
from app.db import system_tx
from flows.ledger.postgres import PostgresLedger
from flows.ledger.postgres_queue import Member, PostgresQueue
from tests.factories.runs import a_chain, a_version

SLEEPERS = """
insert into run (workspace_id, flow_id, version_id, status, trigger, wake_at)
select $1, $2, $3, 'waiting', 'test', clock_timestamp() + $5 * interval '1 hour' from generate_series(1, $4)
"""
WAITING = "select count(*) from run where workspace_id = $1 and status = 'waiting'"


async def test_five_thousand_due_timers_ring_once_and_the_others_not_at_all(db):
    pool = await database.open_pool("system", "worker", least=0, most=4)
    workspace, flow, version = await a_version(a_chain(3))
    async with system_tx("test") as tx:
        await tx.execute(SLEEPERS, workspace, flow, version, 5000, -1)
        await tx.execute(SLEEPERS, workspace, flow, version, 10, 1)
    queues = [
        PostgresQueue(pool, PostgresLedger(pool), Member(uuid4(), uuid4(), "test", 1, 50, ("normal",))) for _ in "ab"
    ]
    for _ in range(3):  # each takes up to 2,000 at a time; those that one holds the other leaves out
        lanes = await asyncio.gather(*(queue.wake_due() for queue in queues))
        assert set().union(*lanes) <= {"normal"}
    async with system_tx("test") as tx:
        assert await tx.fetchval(WAITING, workspace) == 10
    assert await queues[0].wake_due() == set()
    async with system_tx("test") as tx:  # other tests must not find them
        await tx.execute("update run set status = 'cancelled' where workspace_id = $1", workspace)
    pool.terminate()
