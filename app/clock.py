"""The one reader of the wall clock. Tests move it with time-machine.

Decisions about leases and due times are made in SQL with clock_timestamp(): clocks of workers never enter them.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This moment, always with time zone UTC."""
    return datetime.now(UTC)


def epoch() -> float:
    """Seconds since 1970, for signatures and tokens that carry a time."""
    return time.time()


def monotonic() -> float:
    """Seconds on a clock that never goes back, for measuring and for time limits."""
    return time.monotonic()
