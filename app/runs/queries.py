"""What other domains and pages read of runs and versions. Each a fixed number of SQL statements."""

from uuid import UUID

from app.db import tenant_tx
from app.runs import versions as stored
from app.runs.glance import Glance, Waiting, Week, latest, waiting, week
from app.runs.live import LiveFlow, live_document, live_flows
from app.runs.versions import VersionView
from app.web import Actor


async def versions(actor: Actor, flow_id: UUID) -> list[VersionView]:
    """The published versions of a flow, newest first, at most 100. One statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select v.*, coalesce(u.name, '') as by from flow_version v left join user_account u on u.id =
            v.created_by
               where v.flow_id = $1 and v.kind = 'published' order by v.number desc limit 100""",
            flow_id,
        )
    return [stored.view(row) for row in rows]


__all__ = [
    "Glance",
    "LiveFlow",
    "Waiting",
    "Week",
    "latest",
    "live_document",
    "live_flows",
    "versions",
    "waiting",
    "week",
]
