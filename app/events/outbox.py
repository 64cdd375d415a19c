"""The outbox: what must leave the house because of a change (a mail, a webhook) is written with it and sent after it.

At least once: a worker killed between sending and noting it sends again. A handler gets the row's id for the other side
to recognise repeats by (Message-ID, webhook-id).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import Tx, system_tx
from app.logs import logger

log = logger(__name__)

TRIES = 8
LEASE = 120
"""Seconds a handler has; after that another worker takes the letter."""
LONGEST = 86_400
"""Seconds between two tries, at most: 5 s, 25 s, 2 min, 10 min, 50 min, 4 h, 22 h (± a third)."""


class Letter(Struct, frozen=True):
    id: UUID
    workspace_id: UUID
    kind: str
    payload: Any
    attempt: int


class Undeliverable(Exception):
    """A handler says: trying again can't help. The letter goes to the dead ones at once."""


Handler = Callable[[Letter], Awaitable[None]]


async def add(tx: Tx, workspace_id: UUID, kind: str, payload: Any, *, dedupe_key: str) -> None:
    """Send this once the transaction is committed. The same kind and `dedupe_key` again in a workspace is ignored."""
    await tx.execute(
        "insert into outbox (workspace_id, kind, dedupe_key, payload) values ($1, $2, $3, $4) on conflict do nothing",
        workspace_id,
        kind,
        dedupe_key,
        msgspec.json.encode(payload).decode(),
    )


async def deliver(handlers: Mapping[str, Handler], limit: int = 20) -> int:
    """Send what is due, of the kinds there is a handler for; returns how many were tried. For a worker's loop."""
    async with system_tx("outbox: claim") as tx:
        rows = await tx.fetch(_CLAIM, list(handlers), limit, LEASE)
    letters = [
        Letter(row["id"], row["workspace_id"], row["kind"], msgspec.json.decode(row["payload"]), row["attempts"])
        for row in rows
    ]
    await asyncio.gather(*(_send(handlers[letter.kind], letter) for letter in letters))
    return len(letters)


async def run(handlers: Mapping[str, Handler], stopping: asyncio.Event, every: float = 2.0) -> None:
    """Deliver until `stopping`: at once again after a batch, else every 2 s ± 20 %: workers must not march."""
    while not stopping.is_set():
        try:
            tried = await deliver(handlers)
        except Exception as problem:  # the database is away: the loop must be there when it is back
            log.warning("the outbox can't be read: trying again", problem=repr(problem))
            tried = 0
        if not tried:
            try:
                await asyncio.wait_for(stopping.wait(), every * random.uniform(0.8, 1.2))  # noqa: S311 -- no secret
            except TimeoutError:
                pass


@asynccontextmanager
async def serving(handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Deliver beside what the block does. At its end a letter in someone's hands may be finished for 5 s."""
    stopping = asyncio.Event()
    task = asyncio.create_task(run(handlers, stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait([task], timeout=5)
        task.cancel()


async def _send(handler: Handler, letter: Letter) -> None:
    try:
        async with asyncio.timeout(LEASE - 10):
            await handler(letter)
    except Undeliverable as problem:
        await _note(_DEAD, letter, str(problem)[:500])
    except Exception as problem:
        reason = (str(problem) or type(problem).__name__)[:500]
        log.warning("a letter was not delivered", kind=letter.kind, letter_id=str(letter.id), attempt=letter.attempt)
        if letter.attempt >= TRIES:
            await _note(_DEAD, letter, reason)
        else:
            wait = min(5.0 * 5 ** (letter.attempt - 1), LONGEST) * random.uniform(0.67, 1.33)  # noqa: S311 -- no secret
            await _note(_LATER, letter, reason, wait)
    else:
        await _note(_DONE, letter)


async def _note(statement: str, letter: Letter, *values: Any) -> None:
    async with system_tx("outbox: note") as tx:
        await tx.execute(statement, letter.id, letter.attempt, *values)


_CLAIM = """
update outbox set claimed_until = clock_timestamp() + make_interval(secs => $3), attempts = attempts + 1
where id in (
    select id from outbox
    where done_at is null and dead_at is null and next_at <= clock_timestamp() and kind = any($1)
      and (claimed_until is null or claimed_until < clock_timestamp())
    order by next_at limit $2 for update skip locked
)
returning id, workspace_id, kind, payload, attempts
"""
# `attempts = $2`: only whoever holds the latest claim may say how it ended.
_DONE = (
    "update outbox set done_at = clock_timestamp(), claimed_until = null, error = '' where id = $1 and attempts = $2"
)
_DEAD = (
    "update outbox set dead_at = clock_timestamp(), claimed_until = null, error = $3 where id = $1 and attempts = $2"
)
_LATER = """
update outbox set claimed_until = null, error = $3, next_at = clock_timestamp() + make_interval(secs => $4)
where id = $1 and attempts = $2
"""
