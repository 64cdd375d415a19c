"""Read models of proposals. Each says how many SQL statements it takes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from app import clock
from app.db import tenant_tx
from app.drafting.differing import proposed
from app.drafting.shapes import ProposalView, Status
from app.errors import NotFound
from app.web import Actor
from flows.model import Flow

GONE = "This proposal does not exist."
GIVEN_UP = timedelta(minutes=6)
"""A proposal at which nothing happened for so long is not being made any more: its process died."""
_PROPOSAL = """
select p.*, p.before::text as before_text, p.after::text as after_text, p.notes::text as notes_text,
       p.log::text as log_text, p.seen::text as seen_text, coalesce(f.name, '') as flow_name
  from proposal p left join flow f on f.id = p.flow_id
"""


async def proposal(actor: Actor, proposal_id: UUID) -> ProposalView:
    """One proposal with what it would change. 1 statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(_PROPOSAL + "where p.id = $1", proposal_id)
    if row is None:
        raise NotFound(GONE)
    return _view(row, whole=True)


async def of_flow(actor: Actor, flow_id: UUID, limit: int = 10) -> list[ProposalView]:
    """The last proposals for a flow, newest first, without what they change. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(_PROPOSAL + "where p.flow_id = $1 order by p.created_at desc limit $2", flow_id, limit)
    return [_view(row) for row in rows]


async def recent(actor: Actor, limit: int = 10) -> list[ProposalView]:
    """The last proposals of the workspace, newest first, without what they change. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(_PROPOSAL + "order by p.created_at desc limit $1", limit)
    return [_view(row) for row in rows]


def _view(row: Any, *, whole: bool = False) -> ProposalView:
    status: Status = row["status"]
    said = row["said"]
    if status == "working" and clock.now() - row["updated_at"] > GIVEN_UP:
        status, said = "failed", "It was interrupted. Nothing was changed; describe it once more."
    change, document = None, None
    if whole and row["after_text"] is not None:
        before, after = (msgspec.json.decode(row[name], type=Flow) for name in ("before_text", "after_text"))
        change, document = proposed(before, after), msgspec.to_builtins(after)
    return ProposalView(
        row["id"],
        row["flow_id"],
        row["flow_name"],
        row["wish"],
        row["model"],
        status,
        said,
        msgspec.json.decode(row["notes_text"], type=list[str]),
        msgspec.json.decode(row["log_text"], type=list[str]),
        msgspec.json.decode(row["seen_text"], type=list[str]),
        row["rounds"],
        row["cost_micros"],
        row["made_flow"],
        row["created_by"],
        row["created_at"],
        change,
        document,
    )
