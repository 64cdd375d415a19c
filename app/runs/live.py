"""Flows as the public meets them: what is live, for sites and forms."""

from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import tenant_tx
from app.runs.versions import document_of
from flows.model import Flow


class LiveFlow(Struct, frozen=True):
    """A published flow that something can be bound to. `starts`: the kinds of its start steps, "chat", "form", …"""

    id: UUID
    name: str
    starts: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, str]:
        """Value and word of an option in a list to choose from."""
        return str(self.id), self.name


async def live_flows(workspace_id: UUID) -> list[LiveFlow]:
    """All published flows by name. One statement."""
    async with tenant_tx(workspace_id) as tx:
        rows = await tx.fetch(
            """select l.flow_id, coalesce(v.document->>'name', '') as name,
                      jsonb_path_query_array(v.document, '$.nodes[*].type') as types
               from flow_live l join flow_version v on v.id = l.version_id order by lower(v.document->>'name')"""
        )
    return [LiveFlow(row["flow_id"], row["name"] or "Unnamed flow", _starts(row["types"])) for row in rows]


async def live_document(workspace_id: UUID, flow_id: UUID) -> Flow | None:
    """What runs in public of a flow; None when it is not published."""
    async with tenant_tx(workspace_id) as tx:
        document = await tx.fetchval(
            """select v.document from flow_live l join flow_version v on v.id = l.version_id
               where l.flow_id = $1""",
            flow_id,
        )
    return document_of(document) if document is not None else None


def _starts(types: str) -> tuple[str, ...]:
    return tuple(name.removeprefix("start.") for name in msgspec.json.decode(types) if name.startswith("start."))
