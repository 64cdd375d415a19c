"""Variables: what expressions read as `vars.name` (docs/flow-semantics.md, 120 to 124). Never a secret.

One set for live and one for each environment. A set never changes; what is changed is a new set, and a run names the
one that was in force when it began. So a run that sleeps, crashes or is looked at later has its own.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.clock import monotonic
from app.db import Pool, Tx, system_tx
from flows.plan import Plan

FRESH = 1.0
"""Seconds for which runs of the express lane take what this process read last."""
MOST_KNOWN = 5_000

NEWEST = """
select id, vars from variable_set
 where workspace_id = $1 and (environment_id = $2 or ($2::uuid is null and environment_id is null))
 order by id desc limit 1
"""
PUT = (
    "insert into variable_set (workspace_id, environment_id, vars, by_user) values ($1, $2, $3::jsonb, $4) returning id"
)
OLD = """
delete from variable_set where id in (
    select s.id from variable_set s
     where s.made_at < now() - interval '1 hour' and not exists (select from run r where r.variables_id = s.id)
       and (exists (select from variable_set n where n.workspace_id = s.workspace_id and n.id > s.id
                     and n.environment_id is not distinct from s.environment_id)
            or s.environment_id is not null and not exists (select from environment e where e.id = s.environment_id))
     limit 1000)
"""
"""An hour: a run that is starting at this moment may name a set that was replaced just now."""


class VariableSet(Struct, frozen=True):
    """What one environment calls its variables, at one moment."""

    id: UUID
    vars: Mapping[str, Any]


class Variables:
    """The sets in force, as this process read them at most FRESH ago."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: OrderedDict[tuple[UUID, UUID | None], tuple[float, VariableSet | None]] = OrderedDict()

    async def of(self, workspace_id: UUID, environment_id: UUID | None) -> VariableSet | None:
        """None: nobody has made a variable there yet."""
        key = (workspace_id, environment_id)
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        row = await self._pool.fetchrow(NEWEST, workspace_id, environment_id)
        found = VariableSet(row["id"], msgspec.json.decode(row["vars"])) if row is not None else None
        self._known[key] = (monotonic() + FRESH, found)
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        self._known.clear()


def reads(plan: Plan) -> bool:
    """Whether a run of it needs variables: it reads some itself, or a flow that it calls may."""
    return bool(plan.vars or plan.calls)


async def in_force(tx: Tx, workspace_id: UUID, environment_id: UUID | None) -> VariableSet | None:
    """None: nobody has made a variable there yet. 1 statement."""
    row = await tx.fetchrow(NEWEST, workspace_id, environment_id)
    return VariableSet(row["id"], msgspec.json.decode(row["vars"])) if row is not None else None


async def put(
    tx: Tx, workspace_id: UUID, environment_id: UUID | None, vars: Mapping[str, Any], by: UUID | None
) -> None:
    """From now on these are in force there. Whoever changes what was there asks `locked` first."""
    await tx.execute(PUT, workspace_id, environment_id, msgspec.json.encode(vars).decode(), by)


async def locked(tx: Tx, workspace_id: UUID) -> None:
    """Nobody else changes variables of this workspace before the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"variables {workspace_id}")


async def forget_sets() -> int:
    """Delete sets that are not in force and that no run names. Every ten minutes. Returns how many."""
    async with system_tx("forget sets of variables") as tx:
        done = await tx.execute(OLD)
    return int(done.rpartition(" ")[2])
