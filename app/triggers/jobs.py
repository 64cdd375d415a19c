"""What runs by itself in the background of this domain. Every worker does it; locks give a trigger to one at a time."""

from app.background import Job
from app.db import system_tx
from app.triggers.due import fire_due, fire_held, fire_queued
from app.triggers.folder import take_files
from app.triggers.following import fire_ends, fire_events
from app.triggers.plans import plan_new

KEEP_DAYS = 30
"""Days the log of firings goes back."""


async def forget_firings() -> int:
    """Delete what the log of firings has about more than KEEP_DAYS ago. Every hour."""
    async with system_tx("forget firings") as tx:
        done = await tx.execute(
            """delete from trigger_firing
                where at < now() - make_interval(days => $1) and result not in ('queued', 'held')""",
            KEEP_DAYS,
        )
    return int(done.rpartition(" ")[2])


async def forget_secrets() -> int:
    """Delete secrets whose day has passed. Every hour."""
    async with system_tx("forget secrets of triggers") as tx:
        done = await tx.execute("delete from trigger_secret where until < clock_timestamp()")
    return int(done.rpartition(" ")[2])


LOOKS: tuple[Job, ...] = (
    (plan_new, 1.0),
    (fire_due, 1.0),
    (fire_queued, 1.0),
    (fire_held, 1.0),
    (fire_events, 1.0),
    (fire_ends, 1.0),
    (take_files, 2.0),
)
"""What must be on time: a query on a small index each, when there is nothing to do."""
JOBS: tuple[Job, ...] = ((forget_firings, 3600.0), (forget_secrets, 3600.0))
