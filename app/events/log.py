"""The log: one row per event, numbered 1, 2, 3, … per workspace, never changed."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import SafeTransaction, Tx, engine

TYPE = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,99}")
"""It goes over the wire as a line of its own, so it must never hold a line break."""
STREAM_WORDS = frozenset({"hello", "resync", "bye", "ping"})
"""Types the hub itself speaks to a stream; nobody may publish them."""


class Event(Struct, frozen=True):
    """`seq` is None for a whisper: it was never stored, has no place in the order, and may be lost."""

    seq: int | None
    topic: str
    type: str
    data: Any = None
    at: datetime | None = None


class Draft(Struct, frozen=True):
    """An event before it has a number. `data` is JSON text."""

    workspace_id: UUID
    topic: str
    type: str
    data: str


Written = Callable[[UUID, list[Event]], None]
_listeners: list[Written] = []


def on_written(tell: Written) -> None:
    """The hub asks to be told of committed events of this process, in their order."""
    _listeners.append(tell)


async def publish(tx: Tx, workspace_id: UUID, topic: str, type: str, data: Any = None) -> None:
    """Say that something happened. It is stored if, and only if, the transaction commits; then streams hear of it.

    Stored as the last statement of the transaction, whenever this is called: the lock on the workspace's counter lasts
    no longer than the commit, and can't be part of a deadlock.
    `data`: anything msgspec can write as JSON; small (say, ids and what the page needs), under 100 kB in any case.
    Raises ValueError for a topic or type that can't be stored.
    """
    block = engine.open_transaction()
    if block is None or block.connection is not tx:
        raise RuntimeError(
            "publish() wants the connection of the transaction block around it; see append() for others."
        )
    if not block.events:
        block.very_last.append(lambda tx: _flush(tx, block))
    block.events.append(draft(workspace_id, topic, type, data))


def draft(workspace_id: UUID, topic: str, type: str, data: Any = None) -> Draft:
    if not (0 < len(topic) <= 200 and TYPE.fullmatch(type)) or type in STREAM_WORDS:
        raise ValueError(f"An event can't have topic {topic!r} and type {type!r}.")
    text = msgspec.json.encode(data)
    if b"\\u0000" in text:  # PostgreSQL's jsonb refuses this one character; models do write it
        text = msgspec.json.encode(_without_nul(msgspec.json.decode(text)))
    if len(text) > 100_000:
        raise ValueError(
            f"The data of event {type!r} has {len(text)} bytes, over 100000: publish an id and let readers fetch."
        )
    return Draft(workspace_id, topic, type, text.decode())


async def append(tx: Tx, drafts: Sequence[Draft]) -> Callable[[], None]:
    """Store events of one workspace now, on any connection inside any transaction; call the result after its COMMIT.

    For code with connections of its own (the run ledger). Make it the last statement: it locks the workspace's counter.
    Within tenant_tx use publish().
    """
    if len({one.workspace_id for one in drafts}) != 1:
        raise ValueError("append() stores events of exactly one workspace.")
    workspace_id = drafts[0].workspace_id
    row = await tx.fetchrow(_INSERT, workspace_id, len(drafts), *_columns(drafts))
    first = row["last"] - len(drafts) + 1
    events = [
        Event(first + place, one.topic, one.type, msgspec.json.decode(one.data), row["at"])
        for place, one in enumerate(drafts)
    ]

    def tell() -> None:
        for listener in _listeners:
            listener(workspace_id, events)

    return tell


async def _flush(tx: Tx, block: SafeTransaction) -> None:
    drafts: list[Draft] = list(block.events)
    block.events.clear()
    # Always in the same order, so that two transactions over several workspaces can't wait for each other.
    for workspace_id in sorted({one.workspace_id for one in drafts}):
        block.after_commit.append(await append(tx, [one for one in drafts if one.workspace_id == workspace_id]))


# No RETURNING on event: the site role may write events and must not read them.
_INSERT = """
with n as (
    insert into event_counter as c (workspace_id, last) values ($1, $2)
    on conflict (workspace_id) do update set last = c.last + excluded.last
    returning last, clock_timestamp() as at
), stored as (
    insert into event (workspace_id, seq, topic, type, data, at)
    select $1, n.last - $2 + e.place, e.topic, e.type, e.data::jsonb, n.at
    from n, unnest($3::text[], $4::text[], $5::text[]) with ordinality as e (topic, type, data, place)
)
select last, at from n
"""


def _columns(drafts: Sequence[Draft]) -> tuple[list[str], list[str], list[str]]:
    return [one.topic for one in drafts], [one.type for one in drafts], [one.data for one in drafts]


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return value


def events_of(rows: Iterable[Any]) -> list[Event]:
    return [Event(row["seq"], row["topic"], row["type"], msgspec.json.decode(row["data"]), row["at"]) for row in rows]


async def last(tx: Tx, workspace_id: UUID) -> int:
    """The number of the newest event; 0 when there is none."""
    return await tx.fetchval("select last from event_counter where workspace_id = $1", workspace_id) or 0


async def read(
    tx: Tx, workspace_id: UUID, after: int = 0, *, topics: Sequence[str] | None = None, limit: int = 500
) -> list[Event]:
    """Events with a number above `after`, in order, at most `limit`; only of `topics` when given."""
    return events_of(
        await tx.fetch(
            "select seq, topic, type, data, at from event where workspace_id = $1 and seq > $2 "
            "and ($3::text[] is null or topic = any($3)) order by seq limit $4",
            workspace_id,
            after,
            list(topics) if topics is not None else None,
            limit,
        )
    )


async def forget(tx: Tx, days: int) -> int:
    """Delete events older than `days` (system role only). Counters stay, so numbers are never used twice."""
    done = await tx.execute("delete from event where at < clock_timestamp() - make_interval(days => $1)", days)
    return int(done.rpartition(" ")[2])
