"""What runs by itself in the background of this domain."""

from app.background import Job
from app.db import system_tx
from app.webhooks.sending import tell_endpoints

KEEP_DAYS = 30


async def forget_deliveries() -> int:
    """Delete what was sent, or given up, KEEP_DAYS ago. Every hour."""
    async with system_tx("forget deliveries of webhooks") as tx:
        done = await tx.execute(
            """delete from webhook_delivery where created_at < now() - make_interval(days => $1)
               and state in ('done', 'dead')""",
            KEEP_DAYS,
        )
    return int(done.rpartition(" ")[2])


LOOKS: tuple[Job, ...] = ((tell_endpoints, 1.0),)
"""What must be on time."""
JOBS: tuple[Job, ...] = ((forget_deliveries, 3600.0),)
