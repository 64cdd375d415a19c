"""Group commit of express runs: whoever is ready at the same moment shares one INSERT and one fsync.

The answer of an express run goes out only after its record is committed. When nothing is under way a record is
written at once; while a statement is under way, others gather and go with the next one. So being alone costs no
waiting, and a crowd costs one statement. The whole run is one row: its steps are in `run.steps`.

The pool must belong to the role agentbase_system: a batch holds rows of several workspaces. (COPY is refused under row
security, so rows travel as arrays.) Each row's workspace comes from the plan's version, never from a request.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

INSERT = """
insert into run (id, workspace_id, flow_id, version_id, status, lane, trigger, trigger_id, started_by, visitor, draft,
                 idempotency_key, input, output, error, steps, prompt_tokens, completion_tokens, cost_micros,
                 created_at, queued_at, started_at, finished_at, variables_id)
select r.id, r.workspace_id, r.flow_id, r.version_id, r.status, 'express', r.trigger, r.trigger_id, r.started_by,
r.visitor,
       r.draft, r.idempotency_key, r.input::json, r.output::json, r.error::json, r.steps::json, r.prompt, r.completion,
       r.cost, t.began, t.began, t.began, clock_timestamp(), r.variables_id
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
  $9::text[],
              $10::bool[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::int[], $17::int[],
              $18::bigint[], $19::float8[], $20::uuid[])
       as r (id, workspace_id, flow_id, version_id, status, trigger, trigger_id, started_by, visitor, draft,
       idempotency_key,
             input, output, error, steps, prompt, completion, cost, seconds, variables_id)
 cross join lateral (select clock_timestamp() - r.seconds * interval '1 second' as began) t
    on conflict do nothing
returning id
"""

BOTH = """
with made as ({insert}) select id from made union all select null from ({query}) b (done) where done is null
"""
"""The filter is what makes PostgreSQL call the query's function, and what keeps its answers out of the ids."""

BEFORE = """
select id, status, input::text as input, output::text as output, error::text as error from run
 where workspace_id = $1 and flow_id = $2 and idempotency_key = $3
"""

BATCH = 256
"""Rows in one statement, at most."""

CROWD = 512
"""Records waiting at most. Beyond that `commit` raises Overloaded: the database can't keep up, callers get 503."""


class ExpressRow(Struct):
    """One finished express run. `input`, `output`, `error`, `steps` are JSON text; `seconds` is how long it took.

    `beside`: arguments of the host's own query (`GroupCommit`), which happens together with the record; empty again
    once it has happened.
    """

    id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    status: str
    trigger: str
    input: str
    output: str | None
    error: str | None
    steps: str
    seconds: float
    trigger_id: UUID | None = None
    started_by: UUID | None = None
    visitor: str = ""
    draft: bool = False
    idempotency_key: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_micros: int = 0
    variables_id: UUID | None = None
    beside: Sequence[tuple[Any, ...]] = ()


class Before(Struct, frozen=True):
    """The run that had the idempotency key first: its answer is the answer."""

    id: UUID
    status: str
    input: str
    output: str | None
    error: str | None


class Overloaded(Exception):
    """The database can't keep up with the records."""


class GroupCommit:
    """One per process, with one writer that keeps one connection of the pool; `close` waits for what is under way.

    One writer, not two: a statement costs as much as twenty rows, so what counts is how many share it. While it is
    under way the next rows are computed, and they all go with the next one.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", beside: str = "") -> None:
        """`beside`: a query of the host's that a statement runs, too, when rows carry something for it: one column that
        is never null, from arrays, with `{}` for each of them.
        """
        self._pool = pool
        own = len(_columns(()))
        query = beside.format(*(f"${own + i + 1}" for i in range(beside.count("{}"))))
        self._both = BOTH.format(insert=INSERT, query=query)
        self._rows: deque[tuple[ExpressRow, asyncio.Future[Before | None]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._company = 1
        self._closing = False

    async def commit(self, row: ExpressRow) -> Before | None:
        """Return when the record is durable. The run that used the idempotency key before, if there is one, else None.

        Raises Overloaded, and what the database says when it refuses or is away: then there is no record and no answer.
        """
        if len(self._rows) >= CROWD or self._closing:
            raise Overloaded
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Before | None] = loop.create_future()
        self._rows.append((row, done))
        if self._idle is not None:
            self._wake()
        elif self._writer is None:
            self._writer = loop.create_task(self._write())
        return await done

    async def before(self, workspace_id: UUID, flow_id: UUID, key: str) -> Before | None:
        """The run that was started with this idempotency key, in whatever state it is."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(BEFORE, workspace_id, flow_id, key)
        return None if row is None else Before(row["id"], row["status"], row["input"], row["output"], row["error"])

    async def close(self) -> None:
        """After the last record: nothing is taken any more."""
        self._closing = True
        self._wake()
        if self._writer is not None:
            await asyncio.wait({self._writer})

    def _wake(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None and not idle.done():
            idle.set_result(None)

    async def _write(self) -> None:
        """The writer. It ends with its connection; the next record starts another."""
        try:
            while True:
                try:
                    async with self._pool.acquire() as connection:
                        await self._write_on(connection)
                except Exception as error:  # no connection: everybody who waits is told at once, and may come again
                    rows, self._rows = self._rows, deque()
                    for _, done in rows:
                        if not done.done():
                            done.set_exception(error)
                if not self._rows:
                    return
        finally:
            self._writer = None

    async def _write_on(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        while not _ended(connection):
            if not self._rows:
                if self._closing:
                    return
                self._idle = loop.create_future()
                await self._idle
                await self._gather()
                continue
            batch = [self._rows.popleft() for _ in range(min(BATCH, len(self._rows)))]
            self._company = len(batch)
            try:
                await self._insert(connection, batch)
            except Exception as error:
                await self._each_alone(connection, batch, error)

    async def _gather(self) -> None:
        """Those answered together come back nearly together: let them in as long as each turn of the loop brings some.

        Who was alone the last time is not kept waiting.
        """
        seen = 0
        while seen < len(self._rows) < self._company:
            seen = len(self._rows)
            await asyncio.sleep(0)

    async def _insert(
        self, connection: Any, batch: Sequence[tuple[ExpressRow, "asyncio.Future[Before | None]"]]
    ) -> None:
        rows = [row for row, _ in batch]
        columns = _columns(rows)
        beside = [list(column) for column in zip(*(one for row in rows for one in row.beside), strict=True)]
        if beside:
            made = await connection.fetch(self._both, *columns, *beside)
            for row in rows:
                row.beside = ()
        else:
            made = await connection.fetch(INSERT, *columns)
        if len(made) == len(batch):
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
            return
        ids = {record["id"] for record in made}
        for row, done in batch:
            if done.done():
                continue
            if row.id in ids:
                ids.remove(row.id)  # its twin of the same key, later in the batch, was not inserted
                done.set_result(None)
            else:
                first = await connection.fetchrow(BEFORE, row.workspace_id, row.flow_id, row.idempotency_key)
                done.set_result(Before(first["id"], first["status"], first["input"], first["output"], first["error"]))

    async def _each_alone(
        self, connection: Any, batch: Sequence[tuple[ExpressRow, "asyncio.Future[Before | None]"]], error: Exception
    ) -> None:
        """A value PostgreSQL can't hold must not take its neighbours with it, nor what goes beside it the record."""
        for one in batch:
            if one[1].done():
                continue
            row, done = one
            if (len(batch) == 1 and not row.beside) or _ended(connection):
                done.set_exception(error)
                continue
            try:
                await self._insert(connection, [one])
            except Exception as own:
                if not row.beside or _ended(connection):
                    done.set_exception(own)
                    continue
                beside, row.beside = row.beside, ()
                try:
                    await self._insert(connection, [one])
                except Exception as bare:
                    done.set_exception(bare)
                row.beside = beside  # still to be done, by whoever gave it


def _ended(connection: Any) -> bool:
    """The pool takes a connection back the moment its server ends it; from then on it can't even be asked."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _columns(rows: Sequence[ExpressRow]) -> list[list[Any]]:
    return [
        [row.id for row in rows],
        [row.workspace_id for row in rows],
        [row.flow_id for row in rows],
        [row.version_id for row in rows],
        [row.status for row in rows],
        [row.trigger for row in rows],
        [row.trigger_id for row in rows],
        [row.started_by for row in rows],
        [row.visitor for row in rows],
        [row.draft for row in rows],
        [row.idempotency_key for row in rows],
        [row.input for row in rows],
        [row.output for row in rows],
        [row.error for row in rows],
        [row.steps for row in rows],
        [row.prompt_tokens for row in rows],
        [row.completion_tokens for row in rows],
        [row.cost_micros for row in rows],
        [row.seconds for row in rows],
        [row.variables_id for row in rows],
    ]
