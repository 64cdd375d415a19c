"""Kept results in PostgreSQL and in a dict. Each verb takes a connection inside a transaction of its workspace.

The host decides under which role: row security holds for these statements as for all others, so what one workspace
keeps does not exist for another.
"""

import time
from typing import Any

RECALL = """
select output::text from step_cache where workspace_id = $1::uuid and key = $2 and expires_at > clock_timestamp()
"""

KEEP = """
insert into step_cache (workspace_id, key, type, output, bytes, expires_at)
values ($1::uuid, $2, $3, $4::json, $5, clock_timestamp() + $6::float8 * interval '1 second')
on conflict (workspace_id, key) do update set
    type = excluded.type, output = excluded.output, bytes = excluded.bytes, created_at = clock_timestamp(),
    expires_at = excluded.expires_at
"""

FORGET = """
delete from step_cache where id in (select id from step_cache where expires_at <= clock_timestamp() limit $1)
"""

FORGET_OLDEST = """
with full_up as (
    select workspace_id from step_cache group by workspace_id having sum(bytes) > $1 or count(*) > $2
), ranked as (
    select c.id, sum(c.bytes) over newest as up_to, row_number() over newest as nth
      from step_cache c join full_up using (workspace_id)
    window newest as (partition by c.workspace_id order by c.created_at desc, c.id desc)
)
delete from step_cache where id in (select id from ranked where up_to > $1 or nth > $2 limit $3)
"""


async def recall(tx: Any, workspace_id: str, key: bytes) -> str | None:
    """JSON text of the outputs, None when nothing is kept or its time is up."""
    found: str | None = await tx.fetchval(RECALL, workspace_id, key)
    return found


async def keep(tx: Any, workspace_id: str, key: bytes, type: str, output: str, seconds: float) -> None:
    """In the place of what was there. A result of 1 MB at most."""
    await tx.execute(KEEP, workspace_id, key, type, output, len(output.encode()), seconds)


async def forget(tx: Any, most_bytes: int, most_rows: int, batch: int) -> int:
    """Delete what is out of date, and the oldest of workspaces that keep more than they may. `tx`: of the system role.

    At most `batch` rows of each sort; returns how many went.
    """
    gone = await tx.execute(FORGET, batch)
    oldest = await tx.execute(FORGET_OLDEST, most_bytes, most_rows, batch)
    return sum(int(said.rpartition(" ")[2]) for said in (gone, oldest))


class MemoryKeeping:
    """For tests and `agentbase run`: gone with the process. `default`: the model behind ""."""

    def __init__(self, default: str = "") -> None:
        self.default = default
        self.rows: dict[tuple[str, bytes], tuple[str, float]] = {}
        self.asked = 0

    async def recall(self, workspace_id: str, key: bytes) -> str | None:
        self.asked += 1
        output, until = self.rows.get((workspace_id, key), ("", 0.0))
        return output if until > time.time() else None

    async def keep(self, workspace_id: str, key: bytes, type: str, output: str, seconds: float) -> None:
        self.rows[workspace_id, key] = (output, time.time() + seconds)

    async def model(self, workspace_id: str, asked: str) -> str:
        return asked or self.default
