"""What runs by itself in the background of this domain."""

from app.background import Job
from app.db import system_tx

UNDO_DAYS = 1
"""Days a removed connection, with its sealed key, can still be restored."""


async def release_expired() -> int:
    """Give back reservations of calls whose process died. Every minute. Returns how many."""
    async with system_tx("release reservations") as tx:
        released: int = await tx.fetchval("select gateway_release_expired(1000)")
        return released


async def forget_removed() -> int:
    """Erase connections, and with them their keys, a day after they were removed. Every hour."""
    async with system_tx("forget connections") as tx:
        gone = await tx.fetch(
            "delete from connection where removed_at < now() - make_interval(days => $1) returning id", UNDO_DAYS
        )
        return len(gone)


JOBS: tuple[Job, ...] = ((release_expired, 60), (forget_removed, 3600))
