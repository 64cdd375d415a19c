"""Forms that visitors sent: kept before the flow runs, with the result afterwards."""

from typing import Any
from uuid import UUID

import msgspec

from app.errors import TooMany
from app.sites.blocks import Form
from app.sites.visiting import running
from app.sites.visiting.answers import Written
from app.sites.visiting.talk import visitor_tx
from app.sites.visiting.visit import Visit


async def submit(visit: Visit, visitor: bytes, page_id: UUID, block: Form, given: dict[str, Any]) -> Written:
    """Keep what was sent, run the flow, keep the result. Raises TooMany over the day's limit of this visitor."""
    site = visit.site
    async with visitor_tx(site, visitor) as tx:
        today = await tx.fetchval("select count(*) from submission where created_at > now() - interval '24 hours'")
        if today >= site.turns_per_day:
            raise TooMany(f"That was the last of {site.turns_per_day} for today.", remedy="Come back tomorrow.")
        made = await tx.fetchval(
            """insert into submission (workspace_id, site_id, page_id, block_id, flow_id, visitor, input)
               values ($1, $2, $3, $4, $5, $6, $7) returning id""",
            site.workspace_id, site.id, page_id, block.id, block.flow_id, visitor, msgspec.json.encode(given).decode(),
        )  # fmt: skip
    written = await running.run(site, visitor, block.flow_id, given, f"submission:{made}", _unheard)
    async with visitor_tx(site, visitor) as tx:
        await tx.execute(
            "update submission set state = $2, result = $3, run_id = $4 where id = $1 and state = 'working'",
            made, written.state, written.text, written.run_id,
        )  # fmt: skip
    return written


async def result_of(visit: Visit, run_id: UUID) -> str:
    """What a form that this visitor sent was answered; "" when it was another's, or did not end well."""
    if visit.visitor is None:
        return ""
    async with visitor_tx(visit.site, visit.visitor) as tx:
        return await tx.fetchval("select result from submission where run_id = $1 and state = 'done'", run_id) or ""


def _unheard(piece: str) -> None:
    """A form shows its result whole, so nobody listens to the pieces."""
