"""What people see of approvals: what waits for their word, and what was said about a version."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from app.db import Tx, tenant_tx
from app.web import Actor

ASKED = """
select q.id, q.flow_id, f.name as flow, q.version_id, v.number, v.name, q.words, q.asked_at, q.asked_by, q.decision,
       q.answer, q.decided_at, coalesce(nullif(a.name, ''), a.email, '') as asker,
       coalesce(nullif(d.name, ''), d.email, '') as decider
  from publish_request q join flow f on f.id = q.flow_id join flow_version v on v.id = q.version_id
  left join user_account a on a.id = q.asked_by left join user_account d on d.id = q.decided_by
"""


class Request(Struct, frozen=True):
    """Somebody's wish to let a version go live. `decision` "" = it waits. `mine`: the one who looks asked for it."""

    id: UUID
    flow_id: UUID
    flow: str
    version_id: UUID
    number: int
    name: str
    words: str
    asked_at: datetime
    asker: str
    mine: bool
    decision: str
    answer: str
    decider: str
    decided_at: datetime | None


async def waiting(actor: Actor) -> int:
    """How many requests this person could answer. 1 statement for owners, none for others."""
    if not actor.is_owner:
        return 0
    async with tenant_tx(actor.workspace_id) as tx:
        found: int = await tx.fetchval(
            "select count(*) from publish_request where decision = '' and asked_by <> $1", actor.user_id
        )
    return found


async def open_requests(actor: Actor) -> list[Request]:
    """Those that wait, the oldest first, at most 200: one's own are among them. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(f"{ASKED} where q.decision = '' order by q.asked_at limit 200")
    return [_request(actor, row) for row in rows]


async def of_flow(tx: Tx, actor: Actor, flow_id: UUID) -> list[Request]:
    """The last 100 of a flow, newest first. 1 statement."""
    rows = await tx.fetch(f"{ASKED} where q.flow_id = $1 order by q.asked_at desc limit 100", flow_id)
    return [_request(actor, row) for row in rows]


async def wanted(actor: Actor) -> bool:
    """Whether this workspace wants approvals. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        return bool(await tx.fetchval("select approval from publishing_rule"))


def _request(actor: Actor, row: Any) -> Request:
    return Request(
        row["id"], row["flow_id"], row["flow"], row["version_id"], row["number"], row["name"], row["words"],
        row["asked_at"], row["asker"], row["asked_by"] == actor.user_id, row["decision"], row["answer"],
        row["decider"], row["decided_at"],
    )  # fmt: skip
