"""What runs by itself in the background of the event log and the outbox."""

from app.background import Job
from app.db import system_tx
from app.events import log

KEEP_DAYS = 90
"""Days an event can be read again. Streams need minutes of it; what people look back at lies in tables of its own."""
SENT_DAYS = 30
"""Days a letter stays after it was sent or given up: until then the same dedupe key is known."""


async def forget_events() -> int:
    """Delete events older than KEEP_DAYS. Every hour. Returns how many."""
    async with system_tx("forget events") as tx:
        return await log.forget(tx, KEEP_DAYS)


async def forget_letters() -> int:
    """Delete letters that were sent, or given up, SENT_DAYS ago: they hold addresses and texts. Every hour."""
    async with system_tx("forget letters") as tx:
        done = await tx.execute(
            "delete from outbox where coalesce(done_at, dead_at) < now() - make_interval(days => $1)", SENT_DAYS
        )
    return int(done.rpartition(" ")[2])


JOBS: tuple[Job, ...] = ((forget_events, 3600), (forget_letters, 3600))
