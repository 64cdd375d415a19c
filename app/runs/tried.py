"""What tries of a flow began with: to try again with the same input, or with one that was changed first."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.runs.redacting import redacted, restored
from app.web import Actor

LOOKED_AT = 1_000
"""Newest runs of a flow among which its tries are looked for: a flow in use has many runs that are none."""

LAST = f"""
select r.id, r.input::text as input from (
    select id, input, draft, created_at from run where flow_id = $1 order by created_at desc limit {LOOKED_AT}) r
 where r.draft order by r.created_at desc limit 1
"""  # noqa: S608 -- a constant


class Tried(Struct, frozen=True):
    """A try and its input, without secrets."""

    id: UUID
    input: Any


async def last_try(actor: Actor, flow_id: UUID) -> Tried | None:
    """The newest try of a flow, whoever made it. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(LAST, flow_id)
    return Tried(row["id"], redacted(msgspec.json.decode(row["input"]))) if row is not None else None


async def input_again(actor: Actor, flow_id: UUID, run_id: UUID, changed: dict[str, Any] | None = None) -> Any:
    """What a run of this flow began with. `changed`: what a person made of it; secrets it still hides are put back.

    1 statement. Raises NotFound, also for a run of another flow.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        text = await tx.fetchval("select input::text from run where id = $1 and flow_id = $2", run_id, flow_id)
    if text is None:
        raise NotFound("The run whose input was asked for is gone.", remedy="Give an input.")
    was = msgspec.json.decode(text)
    return was if changed is None else restored(changed, was)
