"""When it is worth trying again after a full queue: from how fast the workspace's runs really end."""

import math
from time import monotonic
from uuid import UUID

from app.db import Tx

WINDOW = 60.0
"""Seconds looked back."""
FRESH = 2.0
"""Seconds a rate is kept: when a queue is full, many callers ask at once."""
LEAST, MOST = 1, 300

ENDED = "select count(*) from run where workspace_id = $1 and finished_at > now() - make_interval(secs => $2)"
CAP = "select queued from run_quota where workspace_id = $1"
DEFAULT_CAP = 10_000

_rates: dict[UUID, tuple[float, int]] = {}


async def retry_after(tx: Tx, workspace_id: UUID) -> int:
    """Whole seconds until a hundredth of the queue is free again at the rate of the last minute; 1 to 300.

    A hundredth, not one place: many callers wait for it. Nothing ended for a minute: the longest. At most 2 statements.
    """
    now = monotonic()
    until, seconds = _rates.get(workspace_id, (0.0, 0))
    if now < until:
        return seconds
    cap = await tx.fetchval(CAP, workspace_id) or DEFAULT_CAP
    seconds = wait(cap, await tx.fetchval(ENDED, workspace_id, WINDOW) / WINDOW)
    if len(_rates) > 10_000:
        _rates.clear()
    _rates[workspace_id] = (now + FRESH, seconds)
    return seconds


def wait(cap: int, rate: float) -> int:
    """`rate`: runs that end in a second."""
    return MOST if rate <= 0 else min(max(math.ceil(math.ceil(cap / 100) / rate), LEAST), MOST)
