"""What runs by itself: the verbs that domains list as JOBS in their jobs.py, each again and again.

Every worker process does this, so a verb may run in two of them at the same moment, and it may be killed at any point:
deleting what is old, giving back what has expired. It returns how many it found.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeAlias

from app.logs import logger

log = logger(__name__)

Job: TypeAlias = tuple[Callable[[], Awaitable[int]], float]
"""(verb, seconds between two runs)."""

FIRST = 60.0
"""Seconds within which every job has run once: a start must not be slow, and a machine that is off at night must still
get to what is due once an hour."""


@asynccontextmanager
async def serving(jobs: Iterable[Job]) -> AsyncIterator[None]:
    """Run them beside what the block does; cut off at its end, wherever they are."""
    tasks = [asyncio.create_task(_again_and_again(verb, every)) for verb, every in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(verb: Callable[[], Awaitable[int]], every: float) -> None:
    name = f"{verb.__module__}.{verb.__name__}"
    await asyncio.sleep(_about(min(every, FIRST) / 2))
    while True:
        try:
            done = await verb()
        except Exception as problem:  # the database is away: the loop must be there when it is back
            log.warning("a job failed; it comes again", job=name, seconds=every, problem=repr(problem))
        else:
            if done:
                log.info("job", job=name, done=done)
        await asyncio.sleep(_about(every))


def _about(seconds: float) -> float:
    """± 20 %: workers that started together must not march together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 -- no secret
