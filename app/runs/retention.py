"""How long ended runs are kept: a number of days for each workspace, and the job that deletes what is older."""

from uuid import UUID

from app import events
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, Refused
from app.web import Actor

KEEP_DAYS = 90
"""Days, where a workspace has not decided."""
MOST_DAYS = 3650
BATCH = 1_000
"""Runs in one transaction: deleting must not hold locks for long. Steps, tries, events go with their run."""

OLD = """
delete from run where id in (
    select r.id from run r left join run_keeping k on k.workspace_id = r.workspace_id
     where r.status in ('succeeded', 'failed', 'cancelled')
       and r.finished_at < now() - make_interval(days => coalesce(k.days, $1))
       and r.finished_at < now() - make_interval(days => least($1, (select min(days) from run_keeping)))
     limit $2)
"""
"""The second condition says no more than the first; it is what the index of ranges on finished_at can use."""

KEEP = """
insert into run_keeping (workspace_id, days) values ($1, $2)
on conflict (workspace_id) do update set days = excluded.days
"""


async def days(workspace_id: UUID) -> int:
    """Days that ended runs of this workspace are kept. 1 statement."""
    async with tenant_tx(workspace_id) as tx:
        return await tx.fetchval("select days from run_keeping where workspace_id = $1", workspace_id) or KEEP_DAYS


async def keep(actor: Actor, number: int) -> None:
    """Keep ended runs `number` days from now on. Raises NotAllowed for who is no owner, Refused for another number."""
    if not actor.is_owner:
        raise NotAllowed("How long runs are kept is up to the owners.", remedy="Ask an owner to change it.")
    if not 1 <= number <= MOST_DAYS:
        raise Refused("Runs are kept from 1 day to 3,650 days.", remedy="Write a number between them.", field="days")
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(KEEP, actor.workspace_id, number)
        told = {"days": number, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "runs.keeping", told)


async def forget_old() -> int:
    """Delete ended runs that are older than their workspace keeps them, at most BATCH at once. Returns how many."""
    async with system_tx("forget old runs") as tx:
        done = await tx.execute(OLD, KEEP_DAYS, BATCH)
    return int(done.rpartition(" ")[2])
