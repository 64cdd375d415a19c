"""Runs at a glance, for cards, counts and the front page. Each says how many SQL statements it takes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from app import clock
from app.db import tenant_tx
from app.web import Actor

OPEN = "status = 'waiting' and {0}.wait->>'signal' <> '' and coalesce({0}.wait->>'asks', '') <> 'false'"
"""A row of node_exec, called {0}, that asks a person, not the clock or a machine: as node_exec_open_ix has it."""

UNANSWERED = """not exists (
    select from run_signal s where s.run_id = {0}.run_id and s.taken_by is null and s.name = {0}.wait->>'signal'
       and s.step in ('', {0}.node_id || coalesce(':' || nullif({0}.iter_path, ''), '')))"""
"""Nobody has answered yet: an answer lies there until a worker goes on with the run."""

LIVE = "('waiting', 'running', 'queued')"
"""What a run may be at while one of its steps asks: other branches go on meanwhile."""

ASKS = f"""exists (select from node_exec w where w.run_id = r.id and w.{OPEN.format("w")}
    and {UNANSWERED.format("w")})"""

NEEDS_YOU = f"(r.status in ('in_doubt', 'dead') or (r.status in {LIVE} and {ASKS}))"
"""A person has to act: answer a step, or decide about a run that stopped in doubt. Waiting for a clock is not that."""

IN_NEED = f"""(select id from run where status in ('in_doubt', 'dead')
    union select run_id from node_exec w where w.{OPEN.format("w")})"""  # noqa: S608 -- constants
"""Runs that NEEDS_YOU may hold for, found by two small indexes however many runs there are."""


class Glance(Struct, frozen=True):
    """The last run of a flow. `ms`: from start to end, None while it goes on. `needs_you`: see NEEDS_YOU."""

    id: UUID
    flow_id: UUID
    status: str
    needs_you: bool
    at: datetime
    ms: float | None
    cost_micros: int


class Waiting(Struct, frozen=True):
    count: int
    oldest: Glance | None


class Week(Struct, frozen=True):
    """The last seven days against the seven before. `by_day`: runs of each of the seven days, oldest first."""

    runs: int
    before: int
    done_share: float | None
    median_ms: float | None
    cost_micros: int
    by_day: list[int]


async def latest(actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, Glance]:
    """The last run of each of these flows, tries from the editor included. 1 statement, one index look-up per flow."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            f"""select r.* from unnest($1::uuid[]) as wanted (id) cross join lateral (
                select id, flow_id, status, {NEEDS_YOU} as needs_you, created_at, started_at, finished_at, cost_micros
                from run r where flow_id = wanted.id order by created_at desc limit 1) r""",  # noqa: S608  a constant
            list(flow_ids),
        )
    return {row["flow_id"]: _glance(row) for row in rows}


async def waiting(actor: Actor) -> Waiting:
    """How many runs wait for a person, and the one that waits longest. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            f"""select id, flow_id, status, true as needs_you, created_at, started_at, finished_at, cost_micros,
                       count(*) over () as number
                from run r where id in {IN_NEED} and {NEEDS_YOU}
                order by created_at limit 1"""  # noqa: S608  a constant
        )
    return Waiting(row["number"], _glance(row)) if row else Waiting(0, None)


async def week(actor: Actor) -> Week:
    """Figures of the last seven days, without tries from the editor. 2 statements."""
    now = clock.now()
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            """select count(*) filter (where created_at >= $1) as runs,
                      count(*) filter (where created_at < $1) as before,
                      count(*) filter (where created_at >= $1 and status = 'succeeded') as done,
                      count(*) filter (where created_at >= $1 and finished_at is not null) as ended,
                      coalesce(sum(cost_micros) filter (where created_at >= $1), 0)::bigint as cost,
                      percentile_cont(0.5) within group (order by extract(epoch from finished_at - started_at) * 1000)
                          filter (where created_at >= $1 and status = 'succeeded') as median
               from run where created_at >= $2 and not draft""",
            now - timedelta(days=7),
            now - timedelta(days=14),
        )
        days = await tx.fetch(
            """select floor(extract(epoch from $1 - created_at) / 86400)::int as age, count(*) as runs
               from run where created_at > $2 and not draft group by 1""",
            now,
            now - timedelta(days=7),
        )
    by_age = {day["age"]: day["runs"] for day in days}
    return Week(
        runs=row["runs"],
        before=row["before"],
        done_share=row["done"] / row["ended"] if row["ended"] else None,
        median_ms=float(row["median"]) if row["median"] is not None else None,
        cost_micros=row["cost"],
        by_day=[by_age.get(age, 0) for age in range(6, -1, -1)],
    )


def _glance(row: Any) -> Glance:
    started, finished = row["started_at"], row["finished_at"]
    took = (finished - started).total_seconds() * 1000 if started and finished else None
    return Glance(
        row["id"], row["flow_id"], row["status"], row["needs_you"], row["created_at"], took, row["cost_micros"]
    )
