"""What runs by itself in the background of this domain."""

from app.accounts.policy import IDLE
from app.background import Job
from app.db import system_tx

INVITE_DAYS = 30
"""Days an invitation that ran out is still listed."""


async def forget_sessions() -> int:
    """Delete sessions that have ended: they hold addresses and names of browsers. Every hour. Returns how many."""
    async with system_tx("forget sessions") as tx:
        done = await tx.execute(
            "delete from session where expires_at < now() or seen_at < now() - make_interval(secs => $1)", float(IDLE)
        )
    return int(done.rpartition(" ")[2])


async def forget_invites() -> int:
    """Delete invitations that ran out unused a while ago. Every hour. Returns how many."""
    async with system_tx("forget invitations") as tx:
        done = await tx.execute(
            "delete from invite where used_at is null and expires_at < now() - make_interval(days => $1)", INVITE_DAYS
        )
    return int(done.rpartition(" ")[2])


JOBS: tuple[Job, ...] = ((forget_sessions, 3600), (forget_invites, 3600))
