# ruff: noqa: E501 -- SQL keeps its own shape
"""The pace of a trigger: it starts after a quiet time (debounce), or at most so often (throttle), for each key apart.

Everything is in the rows of the firings: what is held has its input and the moment at which it starts, so a crash or a
restart loses nothing and starts nothing twice. Any worker starts what is due, under the lock of the trigger's plan.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import Tx
from app.runs import service as runs
from flows.sdk.holes import vars_in

MOST_HELD = 1_000
"""Firings of one trigger that are held at once; what comes on top is left out, and the log says so."""
MOST_COLLECTED = 1_000
MOST_BYTES = 800_000
"""Of collected inputs together, as JSON: a run's input takes 1 MB. What is full starts at once."""
LONGEST = 10
"""A quiet time that never comes is waited for so many times as long, where the pace says nothing else."""

OF = "select mode, seconds, key, take, longest, most, over from trigger_pace where trigger_id = $1"
WHERE = "select workspace_id, environment_id from trigger where id = $1"
LOCK = "select pg_advisory_xact_lock(hashtextextended($1::uuid::text || $2, 1885434724)), clock_timestamp() as now"
LEAD = """
select id, at, input, times, clock_timestamp() as now from trigger_firing
 where trigger_id = $1 and pace_key = $2 and result = 'held' order by id limit 1 for update
"""
SLOT = """
select slot_at from trigger_firing where trigger_id = $1 and pace_key = $2 and slot_at is not null
 order by slot_at desc offset $3 limit 1
"""
HELD = "select count(*) from trigger_firing where trigger_id = $1 and result = 'held'"
MERGE = "update trigger_firing set times = times + 1, slot_at = $2, input = $3::json, reason = $4 where id = $1"


class Pace(Struct, frozen=True):
    """`quiet`: a start when nothing came for `seconds`, `longest` seconds after the first at the latest (None: ten times
    as long), with the input that `take` says. `rate`: at most `most` starts in any `seconds`; what is over it is queued
    or dropped. `key`: CEL over `input` and `vars`; each of its values has a pace of its own, "" = one for all.
    """

    mode: Literal["quiet", "rate"]
    seconds: int
    key: str = ""
    take: Literal["first", "last", "collect"] = "last"
    longest: int | None = None
    most: int = 1
    over: Literal["queue", "drop"] = "queue"

    @property
    def latest(self) -> int:
        return self.longest or LONGEST * self.seconds


class Place(Struct, frozen=True):
    """What the pace makes of one firing, for its row. `held`: the input that is kept with it. `into`: merged into it."""

    result: Literal["started", "held", "merged", "skipped"]
    reason: str = ""
    key: str = ""
    slot: datetime | None = None
    held: str | None = None
    into: UUID | None = None


async def of(tx: Tx, trigger_id: UUID) -> Pace | None:
    row = await tx.fetchrow(OF, trigger_id)
    return msgspec.convert(dict(row), Pace) if row is not None else None


async def place(tx: Tx, trigger_id: UUID, pace: Pace, input: Mapping[str, Any]) -> Place:
    """Where a firing with this input goes. Firings of one key wait for each other until the transaction ends."""
    text = msgspec.json.encode(input).decode()
    key = await _key(tx, trigger_id, pace, text)
    now: datetime = (await tx.fetchrow(LOCK, trigger_id, key))["now"]
    if pace.mode == "quiet":
        return await _quiet(tx, trigger_id, pace, key, input, now)
    slot = await tx.fetchval(SLOT, trigger_id, key, pace.most - 1)
    due = max(now, slot + timedelta(seconds=pace.seconds)) if slot is not None else now
    if due <= now:
        return Place("started", key=key, slot=now)
    rate = f"at most {pace.most} in {pace.seconds:,} s{_of(key)}"
    if pace.over == "drop":
        return Place("skipped", f"Left out: {rate}.", key)
    if await tx.fetchval(HELD, trigger_id) >= MOST_HELD:
        return Place("skipped", f"{MOST_HELD:,} are held already.", key)
    return Place("held", f"Held until {_clock(due)}: {rate}.", key, due, text)


async def _quiet(tx: Tx, trigger_id: UUID, pace: Pace, key: str, input: Mapping[str, Any], now: datetime) -> Place:
    lead = await tx.fetchrow(LEAD, trigger_id, key)
    if lead is not None:
        return Place("merged", f"Merged into the firing of {_clock(lead['at'])}{_of(key)}.", key, into=lead["id"])
    if await tx.fetchval(HELD, trigger_id) >= MOST_HELD:
        return Place("skipped", f"{MOST_HELD:,} are held already.", key)
    due = now + timedelta(seconds=pace.seconds)
    kept = {**input, "collected": [dict(input)]} if pace.take == "collect" else dict(input)
    return Place("held", _until(pace, due, key), key, due, msgspec.json.encode(kept).decode())


async def merge(tx: Tx, trigger_id: UUID, pace: Pace, at: Place, input: Mapping[str, Any]) -> tuple[Any, int] | None:
    """Put one more into what is held. (its input, how many) when nothing more goes into it: then it starts now."""
    lead = await tx.fetchrow(LEAD, trigger_id, at.key)
    kept = msgspec.json.decode(lead["input"])
    if pace.take == "last":
        kept = dict(input)
    elif pace.take == "collect":
        kept = {**input, "collected": [*kept.get("collected", [kept]), dict(input)]}
    text = msgspec.json.encode(kept).decode()
    due = min(lead["now"] + timedelta(seconds=pace.seconds), lead["at"] + timedelta(seconds=pace.latest))
    await tx.execute(MERGE, lead["id"], due, text, _until(pace, due, at.key))
    if pace.take == "collect" and (len(kept["collected"]) >= MOST_COLLECTED or len(text) > MOST_BYTES):
        return kept, lead["times"] + 1
    return None


def started(pace: Pace | None, times: int) -> str:
    """What the log says of a firing that was held and starts now."""
    if pace is None or pace.mode == "rate":
        return "Held by the pace of this trigger until now."
    return f"After a quiet time, for {times:,} {'firing' if times == 1 else 'firings'}."


async def _key(tx: Tx, trigger_id: UUID, pace: Pace, input: str) -> str:
    if not pace.key:
        return ""
    there = await tx.fetchrow(WHERE, trigger_id) if vars_in(pace.key) else None
    known = await runs.variables_in_force(tx, *there) if there is not None else None
    text = runs.key_of(pace.key, input, known.vars if known is not None else None)
    return text if len(text) <= 200 else blake2b(text.encode(), digest_size=20).hexdigest()


def _of(key: str) -> str:
    return f" for '{key[:60]}'" if key else ""


def _until(pace: Pace, due: datetime, key: str) -> str:
    return f"Held until {_clock(due)}: it starts when nothing came for {pace.seconds:,} s{_of(key)}."


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"
