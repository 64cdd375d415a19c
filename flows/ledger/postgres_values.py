# ruff: noqa: E501 -- SQL keeps its own shape
"""Large values in PostgreSQL: of each workspace equal ones once, in pieces, and which runs name them.

In the database and not in files: a backup holds them, every worker and web process reaches them, row security keeps
them apart, and a value and what names it are gone or there together. The record of a run names a value only after it is
here. What nobody names any more the sweep removes.

`keep` and `fetch` take a connection of any role inside or outside of a transaction; a workspace's own transaction
reaches its own values only.
"""

from collections.abc import Mapping
from typing import Any

from flows.stored import checked

PIECE = 1024 * 1024
"""Bytes in one row: what a download holds in memory, and what one statement carries."""
YOUNG = 3600.0
"""Seconds after which a value that nothing names is an orphan and no longer on its way into a record."""

KEEP = """
insert into stored_value (workspace_id, hash, size) values ($1::uuid, decode($2, 'hex'), $3)
on conflict (workspace_id, hash) do update set touched_at = clock_timestamp()
returning xmax = 0 as new
"""
"""A sweep that finds the value unused at this moment waits for us, and then sees that it was touched."""

PIECES = "insert into stored_piece (workspace_id, hash, nth, content) values ($1::uuid, decode($2, 'hex'), $3, $4)"

NAME = """
insert into run_value (workspace_id, run_id, hash, looked) values ($1::uuid, $2::uuid, decode($3, 'hex'), $4)
on conflict (run_id, hash) do nothing
"""

COPY = """
insert into run_value (workspace_id, run_id, hash, looked)
select workspace_id, $2::uuid, hash, looked from run_value where run_id = $1::uuid on conflict (run_id, hash) do nothing
"""

FETCH = """
select p.content from run_value v join stored_piece p using (workspace_id, hash)
 where v.run_id = $1::uuid and v.hash = decode($2, 'hex') order by p.nth
"""

TAKEN = """
select coalesce(sum(s.size), 0)::bigint from run_value v join stored_value s using (workspace_id, hash) where v.run_id = $1::uuid
"""

GONE_RUNS = """
delete from run_value where ctid = any (array(
    select v.ctid from run_value v
     where v.created_at < clock_timestamp() - $1::float8 * interval '1 second' and not exists (select from run r where r.id = v.run_id)
     limit $2))
"""
"""Of runs that were deleted, and of express runs whose record never came."""

ENDED = """
select distinct v.run_id from run_value v join run r on r.id = v.run_id
 where not v.looked and r.finished_at < clock_timestamp() - $1::float8 * interval '1 second' limit $2
"""

UNNAMED = r"""
with named as (
    select decode(m[1], 'hex') as hash
      from (select output::text as text from node_exec where run_id = $1 and output is not null
            union all select output::text from run where id = $1 and output is not null
            union all select steps::text from run where id = $1 and steps is not null) record,
           regexp_matches(record.text, '"\$stored":\s*\{"hash":\s*"([0-9a-f]{64})"', 'g') m
)
delete from run_value v where v.run_id = $1 and not v.looked and not exists (select from named n where n.hash = v.hash)
"""
LOOKED = "update run_value set looked = true where run_id = $1"
"""Once for each ended run: what a crash left behind between storage and the record is named by nothing."""

ORPHANS = """
delete from stored_value where ctid = any (array(
    select s.ctid from stored_value s
     where s.touched_at < clock_timestamp() - $1::float8 * interval '1 second'
       and not exists (select from run_value v where v.workspace_id = s.workspace_id and v.hash = s.hash)
     limit $2 for update skip locked))
   and touched_at < clock_timestamp() - $1::float8 * interval '1 second'
"""


async def keep(
    connection: Any, run_id: Any, values: Mapping[str, bytes], workspace_id: Any = None, *, looked: bool = False
) -> None:
    """Store these contents by hash for a run. `workspace_id`: of a run that is not on record yet (express).

    `looked`: kept as long as the run, whether its record names them or not (files).
    """
    async with connection.transaction():
        if workspace_id is None:
            workspace_id = await connection.fetchval("select workspace_id from run where id = $1::uuid", run_id)
        if workspace_id is None:
            return  # the run was deleted; the write that follows hears of it
        for hash in sorted(values):  # in one order, so that two that keep the same values never wait for each other
            raw = values[hash]
            if await connection.fetchval(KEEP, workspace_id, hash, len(raw)):
                for nth in range(0, len(raw), PIECE):
                    await connection.execute(PIECES, workspace_id, hash, nth // PIECE, raw[nth : nth + PIECE])
            await connection.execute(NAME, workspace_id, run_id, hash, looked)


async def taken(connection: Any, run_id: Any) -> int:
    """Bytes of all that is stored for this run."""
    return int(await connection.fetchval(TAKEN, run_id))


async def fetch(connection: Any, run_id: Any, hash: str) -> bytes:
    """A value that this run names, whole and compared with its hash. Raises Lost."""
    pieces = [row["content"] for row in await connection.fetch(FETCH, run_id, hash)]
    return checked(hash, b"".join(pieces) if pieces else None)


async def name_again(connection: Any, old_run: Any, new_run: Any) -> None:
    """The new run takes over steps of the old one, and with them the values they name."""
    await connection.execute(COPY, old_run, new_run)


async def forget(connection: Any, batch: int, young: float = YOUNG) -> int:
    """Remove what nothing names any more; `connection` of the system role. Returns how many values went.

    At most `batch` of each sort: names of runs that are gone, ended runs that are looked through, values.
    """
    await connection.execute(GONE_RUNS, young, batch)
    for row in await connection.fetch(ENDED, young, batch):
        await connection.execute(UNNAMED, row["run_id"])
        await connection.execute(LOOKED, row["run_id"])
    gone: str = await connection.execute(ORPHANS, young, batch)
    return int(gone.rpartition(" ")[2])
