"""The ends and waits of runs as events of their workspace: for cards, counts, triggers and webhooks.

Whatever stores such an event of a run stores a row of run_news in the same transaction (migrations/runs, 0012). Here
the row is exchanged for the event, again in one transaction: each is told once, whoever is killed in between.
"""

from uuid import UUID

from app.db import Tx, system_tx, tenant_tx
from app.events import publish
from app.logs import logger

log = logger(__name__)

BATCH = 500
TAKE = """
with first as (
    select id from run_news where workspace_id = $1 and ($2::uuid is null or run_id = $2)
     order by id limit $3 for update
)
delete from run_news n using first where n.id = first.id returning n.id, n.run_id, n.type, n.node
"""
"""In their order and without `skip locked`: who comes second waits for the first, so no run ends before it waited."""

UNTOLD = """
select distinct workspace_id from run_news where at < clock_timestamp() - interval '1 second' limit 200
"""


async def tell(workspace_id: UUID) -> int:
    """Publish what this workspace has not heard yet. Returns how much."""
    async with tenant_tx(workspace_id) as tx:
        return await tell_within(tx, workspace_id)


async def tell_within(tx: Tx, workspace_id: UUID, run_id: UUID | None = None) -> int:
    """The same inside a transaction of the workspace; of one run only where `run_id` is given."""
    told = sorted(await tx.fetch(TAKE, workspace_id, run_id, BATCH), key=lambda row: int(row["id"]))
    for row in told:
        await publish(tx, workspace_id, "workspace", row["type"], {"run": str(row["run_id"]), "node": row["node"]})
    return len(told)


async def tell_untold() -> int:
    """What nobody told within a second: its worker is gone, or it was no worker. Every second. Returns how much."""
    async with system_tx("news of runs") as tx:
        rows = await tx.fetch(UNTOLD)
    told = 0
    for row in rows:
        try:
            told += await tell(row["workspace_id"])
        except Exception:  # one workspace that can't be told must not hold up the others
            log.warning("news of runs could not be told; it is tried again", workspace=str(row["workspace_id"]),
                        exc_info=True)  # fmt: skip
    return told
