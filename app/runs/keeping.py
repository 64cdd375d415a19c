"""Results of steps that are kept for equal inputs, in the tables of their workspace (docs/flow-semantics.md, 90)."""

from uuid import UUID

from app.db import system_tx, tenant_tx
from app.gateway import service as gateway
from flows.ledger import keeping as verbs

MOST_BYTES = 64 * 1024 * 1024
"""A workspace keeps so much at most; the oldest go first."""
MOST_ROWS = 20_000
BATCH = 1_000


class Kept:
    """flows.keeping.Keeping over PostgreSQL: each look-up is one transaction under row security."""

    async def recall(self, workspace_id: str, key: bytes) -> str | None:
        async with tenant_tx(UUID(workspace_id)) as tx:
            return await verbs.recall(tx, workspace_id, key)

    async def keep(self, workspace_id: str, key: bytes, type: str, output: str, seconds: float) -> None:
        async with tenant_tx(UUID(workspace_id)) as tx:
            await verbs.keep(tx, workspace_id, key, type, output, seconds)

    async def model(self, workspace_id: str, asked: str) -> str:
        return asked or await gateway.default_model(UUID(workspace_id))


KEPT = Kept()


async def forget_kept() -> int:
    """Delete what is out of date or too much, in batches. Returns how many."""
    done, more = 0, BATCH
    while more >= BATCH:
        async with system_tx("forget kept results") as tx:
            more = await verbs.forget(tx, MOST_BYTES, MOST_ROWS, BATCH)
        done += more
    return done
