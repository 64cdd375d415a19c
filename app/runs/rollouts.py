# ruff: noqa: E501 -- SQL keeps its own shape
"""A new version for a part of the visitors: who gets it, when it ends by itself, and what is on record of it.

Who gets which version is a hash, so the same visitor, key or conversation keeps its version, and who had the new one at
10 % has it at 50 %, too. Requests are decided from memory: rollouts are read once a second and process, for all flows.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from secrets import token_hex
from uuid import UUID

from msgspec import Struct

from app import events
from app.clock import monotonic
from app.db import Pool, Tx, system_tx
from app.runs.rollout_figures import Side, side

FRESH = 1.0
"""Seconds for which this process decides by what it read last."""
ACTIVE = "select id, flow_id, version_id, before_id, percent from flow_rollout where ended_at is null"
FIGURES = """
select count(*) filter (where ended) as runs, count(*) filter (where ended and status <> 'succeeded') as failed,
       count(*) filter (where done and ms > 0) as timed, avg(ln(ms)) filter (where done and ms > 0) as log_ms, stddev_samp(ln(ms)) filter (where done and ms > 0) as log_ms_sd,
       percentile_cont(0.5) within group (order by ms) filter (where done) as ms,
       avg(cost) filter (where done) as cost, stddev_samp(cost) filter (where done) as cost_sd, count(*) filter (where done) as done
  from (select status, cost_micros as cost, status in ('succeeded', 'failed', 'dead', 'in_doubt') as ended, status = 'succeeded' as done,
               extract(epoch from finished_at - coalesce(started_at, created_at)) * 1000 as ms
          from run where version_id = $1 and created_at >= $2 and not draft and origin_run is null) r
"""
"""Cancelled runs are nobody's failure, and runs taken up again by a person are no visitor's: both are left out."""
GUARDED = "select * from flow_rollout where ended_at is null and stop_above is not null"
END = """
update flow_rollout set ended_at = now(), outcome = $2, why = $3 where flow_id = $1 and ended_at is null
returning id, workspace_id, version_id
"""
MINE = """
select r.*, v.number, v.name, b.number as before_number, b.name as before_name, coalesce(nullif(u.name, ''), u.email, '') as by
  from flow_rollout r join flow_version v on v.id = r.version_id join flow_version b on b.id = r.before_id
  left join user_account u on u.id = r.started_by
 where r.flow_id = $1 and (r.ended_at is null or r.ended_at > now() - interval '30 days') order by r.started_at desc limit 1
"""


class Split(Struct, frozen=True):
    """One flow's rollout as requests see it. `parts`: of 10,000 that get the new version."""

    salt: bytes
    version_id: UUID
    before_id: UUID
    parts: int

    def for_key(self, key: str) -> bool:
        """Whether this visitor, key or conversation gets the new version; always the same answer for the same one."""
        digest = blake2b(key.encode(), digest_size=8, key=self.salt).digest()
        return int.from_bytes(digest, "big") % 10_000 < self.parts


class Rollouts:
    """All rollouts of the instance, as this process heard of them at most FRESH ago."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._splits: Mapping[UUID, Split] = {}
        self._until = 0.0

    async def look(self) -> None:
        if monotonic() < self._until:
            return
        self._until = monotonic() + FRESH  # before the query: one caller asks, the others go on with what was known
        rows = await self._pool.fetch(ACTIVE)
        self._splits = {
            row["flow_id"]: Split(row["id"].bytes, row["version_id"], row["before_id"], row["percent"] * 100)
            for row in rows
        }

    def pick(self, flow_id: UUID, live: UUID, key: str) -> UUID:
        """The version for this key ("" = of nobody in particular): `live`, or the new one. Memory only.

        A rollout beside another live version than the one it began with is over.
        """
        split = self._splits.get(flow_id)
        if split is None or split.before_id != live:
            return live
        return split.version_id if split.for_key(key or token_hex(8)) else live

    def forget(self) -> None:
        self._until = 0.0


class Rollout(Struct, frozen=True):
    """One rollout. `stop_above`: percent of failed runs above which it ends by itself, None = never; `after_runs`: how
    many runs of the new version must have ended before. `outcome` "" = it goes on.
    """

    id: UUID
    version_id: UUID
    number: int
    name: str
    before_id: UUID
    before_number: int
    percent: int
    stop_above: int | None
    after_runs: int
    by: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    why: str
    new: Side
    old: Side


async def rollout_of(tx: Tx, flow_id: UUID) -> Rollout | None:
    """The rollout that goes on, or the last one of the last 30 days, with the figures of both versions. 3 statements."""
    row = await tx.fetchrow(MINE, flow_id)
    if row is None:
        return None
    new, old = [
        side(await tx.fetchrow(FIGURES, row[which], row["started_at"])) for which in ("version_id", "before_id")
    ]
    return Rollout(
        row["id"], row["version_id"], row["number"], row["name"], row["before_id"], row["before_number"], row["percent"],
        row["stop_above"], row["after_runs"], row["by"], row["started_at"], row["ended_at"], row["outcome"], row["why"],
        new, old,
    )  # fmt: skip


async def begin_rollout(
    tx: Tx, workspace_id: UUID, flow_id: UUID, version_id: UUID, before_id: UUID, percent: int,
    stop_above: int | None, after_runs: int, by: UUID,
) -> None:  # fmt: skip
    """Begin, or change the share and the guard of the one that goes on with this version."""
    await tx.execute(
        """insert into flow_rollout (workspace_id, flow_id, version_id, before_id, percent, stop_above, after_runs, started_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (flow_id) where ended_at is null
           do update set percent = excluded.percent, stop_above = excluded.stop_above, after_runs = excluded.after_runs""",
        workspace_id, flow_id, version_id, before_id, percent, stop_above, after_runs, by,
    )  # fmt: skip


async def rolling_out(tx: Tx, flow_id: UUID) -> UUID | None:
    """The version that is being rolled out."""
    found: UUID | None = await tx.fetchval(
        "select version_id from flow_rollout where flow_id = $1 and ended_at is null for update", flow_id
    )
    return found


async def end_rollout(tx: Tx, flow_id: UUID, outcome: str, why: str = "") -> UUID | None:
    """From the next second on everybody gets what is live; runs under way stay with their version. The version it was."""
    row = await tx.fetchrow(END, flow_id, outcome, why)
    return row["version_id"] if row is not None else None


async def watch() -> int:
    """End the rollouts whose new version fails more often than its guard allows. Returns how many."""
    async with system_tx("watch rollouts") as tx:
        rows = await tx.fetch(GUARDED)
    ended = 0
    for row in rows:
        async with system_tx("watch a rollout") as tx:
            new = side(await tx.fetchrow(FIGURES, row["version_id"], row["started_at"]))
            if new.runs < row["after_runs"] or new.failed * 100 <= row["stop_above"] * new.runs:
                continue
            why = f"{new.failed} of {new.runs} runs failed; the limit was {row['stop_above']} %."
            if await end_rollout(tx, row["flow_id"], "guarded", why) is None:
                continue
            told = {"flow": str(row["flow_id"]), "version": str(row["version_id"]), "why": why}
            for topic in (f"flow:{row['flow_id']}", "workspace"):
                await events.publish(tx, row["workspace_id"], topic, "rollout.guarded", told)
            ended += 1
    return ended
