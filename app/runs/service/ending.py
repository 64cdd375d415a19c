"""Runs are ended by people, and what visitors left is deleted."""

from collections.abc import Iterable
from uuid import UUID

from app import events
from app.db import Tx, on_commit, tenant_tx
from app.errors import NotFound
from app.runs import express, news
from app.runs.service.asked import may_run, must_exist, workspace_of
from app.web import Actor
from flows.ledger import postgres_verbs as verbs


async def cancel(who: Actor | UUID, run_id: UUID) -> str:
    """End a run: "cancelled" at once, "asked" when a worker has it and will stop, "over" when it had ended."""
    may_run(who)
    workspace_id = workspace_of(who)
    async with tenant_tx(workspace_id) as tx:
        await must_exist(tx, run_id)
        done = await verbs.cancel_run(tx, run_id)
        if done == "cancelled":
            await news.tell_within(tx, workspace_id, run_id)
            told = {"type": "run.cancelled", "run": str(run_id)}
            on_commit(lambda: events.hub.whisper(workspace_id, f"run:{run_id}", "run.cancelled", told))
    express.cancel(run_id)
    return done


async def cancel_all(who: Actor, run_ids: Iterable[UUID]) -> int:
    """End many runs; those that had ended, or are not this workspace's, are left out. Returns how many it ends."""
    may_run(who)
    done = 0
    for run_id in run_ids:
        try:
            done += await cancel(who, run_id) != "over"
        except NotFound:
            continue
    return done


async def forget_visits(tx: Tx, workspace_id: UUID, days: int) -> int:
    """Delete ended runs that visitors of sites started more than `days` days ago: they hold what was written.

    `tx` is a system_tx. Returns how many went.
    """
    done: str = await tx.execute(
        """delete from run where workspace_id = $1 and trigger = 'site'
           and finished_at < now() - make_interval(days => $2)""",
        workspace_id,
        days,
    )
    return int(done.rpartition(" ")[2])
