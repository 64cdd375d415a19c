"""Which runs a worker takes, gives back, and must stop; and that the worker is alive."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from flows.ledger import postgres_lines as lines
from flows.ledger import postgres_sql as sql
from flows.ledger.postgres import PostgresLedger, stored_signal
from flows.ledger.postgres_pool import borrowed
from flows.ledger.protocol import Claim
from flows.sdk.context import Signal
from flows.transport.protocol import Lane

NOBODY = UUID(int=0)
QUEUES_AT_ONCE = 32
"""Workspaces looked at in one claim. With more of them waiting, the next claim goes on behind the last one."""
LINES_AT_ONCE = 16
"""Lines of one workspace looked at in one claim; the next one goes on behind the last."""
ROUNDS = 4
"""Looks of one claim: where few workspaces have much and many have little, the first look finds too little."""

REGISTER = """
insert into worker (id, boot_id, host, pid, version, capabilities, lanes, slots, dead_after)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9 * interval '1 second')
on conflict (id) do update set pid = excluded.pid, heartbeat_at = clock_timestamp(), draining = false, stopped_at = null
"""

OWNED = "select id, epoch from run where owner_worker = $1 and status = 'running'"

STOPPED = "update worker set stopped_at = clock_timestamp(), draining = true where id = $1"

CANCELLED = """
select id, epoch from run
 where owner_worker = $1 and status = 'running' and cancel_requested_at is not null and id = any ($2::uuid[])
"""

SIGNALLED = """
select g.run_id, r.epoch, g.id, g.name, g.data, g.sender, g.step from run_signal g join run r on r.id = g.run_id
 where g.run_id = any ($1::uuid[]) and g.taken_by is null and r.owner_worker = $2 and r.status = 'running'
 order by g.created_at, g.id
"""


class Claimed(Struct, frozen=True):
    """A run that is ours now, and what is needed before its ledger row is read.

    `limited`: others of its flow may wait for its end.
    """

    claim: Claim
    workspace_id: str
    flow_id: str
    version_id: str
    lane: Lane
    crash_count: int
    limited: bool = False


class Member(Struct, frozen=True):
    """What a worker says about itself. `dead_after`: seconds without a heartbeat after which its runs go to others.

    `kinds`: the node types it has, with their versions; runs that need others are left alone. Empty: it takes all.
    """

    id: UUID
    boot_id: UUID
    host: str
    pid: int
    slots: int
    lanes: Sequence[Lane]
    version: str = ""
    dead_after: float = 30.0
    kinds: Mapping[str, int] = {}


class PostgresQueue:
    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", ledger: PostgresLedger, member: Member) -> None:
        self._pool = pool
        self._ledger = ledger
        self._member = member
        self._behind: dict[Lane, UUID] = {}
        self._lines_behind: dict[tuple[Lane, UUID], str] = {}
        self._lines_first = False
        self._kinds = msgspec.json.encode(dict(member.kinds)).decode() if member.kinds else None

    async def register(self) -> None:
        me = self._member
        async with borrowed(self._pool) as connection:
            await connection.execute(
                REGISTER, me.id, me.boot_id, me.host, me.pid, me.version,
                [f"{name}@{version}" for name, version in me.kinds.items()], list(me.lanes), me.slots, me.dead_after,
            )  # fmt: skip

    async def stopped(self) -> None:
        async with borrowed(self._pool, 3.0) as connection:
            await connection.execute(STOPPED, self._member.id)

    async def claim(self, lane: Lane, most: int) -> list[Claimed]:
        """Up to `most` queued runs of a lane, made ours in short transactions. Empty when there are none."""
        async with borrowed(self._pool) as connection:
            rows: list[Any] = []
            for _ in range(ROUNDS):
                queues = await self._queues(connection, lane)
                if not queues:
                    break
                wanted = most - len(rows)
                took = await self._take(connection, lane, queues, wanted)
                rows += took
                deepest = max(Counter(row["workspace_id"] for row in took).values(), default=0)
                if len(took) == wanted or (deepest < 2 * wanted / len(queues) and not self._lines_behind):
                    break  # else one workspace has more than the part of it that was looked at
        return [
            Claimed(
                self._ledger.took(row),
                str(row["workspace_id"]),
                str(row["flow_id"]),
                str(row["version_id"]),
                row["lane"],
                row["crash_count"],
                bool(row["line"]),
            )
            for row in rows
        ]

    def more_lines(self) -> bool:
        """Whether there are lines that the last claim did not come to."""
        return bool(self._lines_behind)

    async def _take(self, connection: Any, lane: Lane, queues: dict[UUID, bool], most: int) -> list[Any]:
        """From the common queue and from the lines of flows with limits; which of them comes first takes turns."""
        lined = [workspace for workspace, has_lines in queues.items() if has_lines]
        self._lines_first = bool(lined) and not self._lines_first
        took: list[Any] = []
        for of_lines in (self._lines_first, not self._lines_first):
            wanted = most - len(took)
            if wanted and of_lines and lined:
                took += await self._take_lined(connection, lane, lined, wanted)
            elif wanted and not of_lines:
                took += await connection.fetch(sql.CLAIM, list(queues), lane, wanted, self._member.id, self._kinds)
        return took

    async def _take_lined(self, connection: Any, lane: Lane, queues: list[UUID], most: int) -> list[Any]:
        """In one transaction that holds the flows: what two workers take at once must not pass a limit."""
        behind = [self._lines_behind.pop((lane, workspace), "") for workspace in queues]
        found = await connection.fetch(lines.LINES, lane, queues, behind, LINES_AT_ONCE)
        for workspace, number in Counter(row["workspace_id"] for row in found).items():
            if number == LINES_AT_ONCE:
                self._lines_behind[lane, workspace] = max(r["line"] for r in found if r["workspace_id"] == workspace)
        async with connection.transaction():
            flows = list({row["flow_id"] for row in found})
            held = {row["flow_id"] for row in await connection.fetch(lines.HOLD, flows)}
            ours = [row for row in found if row["flow_id"] in held]
            columns = [[row[name] for row in ours] for name in ("workspace_id", "line", "flow_id")]
            return list(await connection.fetch(lines.CLAIM_LINES, *columns, lane, most, self._member.id, self._kinds))

    async def _queues(self, connection: Any, lane: Lane) -> dict[UUID, bool]:
        """The workspaces whose turn it is, and whether some of their runs are of flows with limits."""
        behind = self._behind.get(lane, NOBODY)
        queues = {row[0]: row[1] for row in await connection.fetch(sql.QUEUES, lane, behind, QUEUES_AT_ONCE)}
        if len(queues) < QUEUES_AT_ONCE and behind != NOBODY:
            more = await connection.fetch(sql.QUEUES, lane, NOBODY, QUEUES_AT_ONCE)
            queues |= {row[0]: row[1] for row in more}
        self._behind[lane] = list(queues)[-1] if len(queues) >= QUEUES_AT_ONCE else NOBODY
        return queues

    async def wake_due(self) -> set[Lane]:
        """Queue the runs whose time has come. Any worker may, at any time. The lanes that have work now."""
        async with borrowed(self._pool) as connection:
            return {row["lane"] for row in await connection.fetch(sql.WAKE_DUE)}

    async def waiting(self, lane: Lane) -> bool:
        """Whether any workspace has something queued in the lane."""
        async with borrowed(self._pool) as connection:
            return bool(await connection.fetch(sql.QUEUES, lane, NOBODY, 1))

    async def owned(self) -> list[Claim]:
        """The runs that are ours, as the database sees it: also those of a claim whose answer got lost."""
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(OWNED, self._member.id)
        return [Claim(str(row["id"]), row["epoch"]) for row in rows]

    async def hand_back(self, claims: Sequence[Claim]) -> None:
        """Queued again, without blame. Claims that are not ours any more are left alone."""
        async with borrowed(self._pool) as connection:
            await connection.fetch(sql.HAND_BACK, [claim.run for claim in claims], [claim.epoch for claim in claims])

    async def to_stop(self, claims: Sequence[Claim]) -> set[Claim]:
        """Those that somebody asked to cancel."""
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(CANCELLED, self._member.id, [claim.run for claim in claims])
        return {Claim(str(row["id"]), row["epoch"]) for row in rows}

    async def signals(self, claims: Sequence[Claim]) -> list[tuple[Claim, str, Signal]]:
        """Signals that are not used yet, of runs that are ours. The engine may have some of them already."""
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(SIGNALLED, [claim.run for claim in claims], self._member.id)
        return [(Claim(str(row["run_id"]), row["epoch"]), str(row["id"]), stored_signal(row)) for row in rows]
