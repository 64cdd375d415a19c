"""The versions of a flow as its page shows them."""

from uuid import UUID

from msgspec import Struct

from app.db import page_tx
from app.runs import queries as runs
from app.runs.queries import Named
from app.studio import queries
from app.studio.changes import changes
from app.web import Actor
from flows import catalogue


class History(Struct, frozen=True):
    """`changed`: lines that publishing the draft would change; None = nothing was published yet."""

    flow_id: UUID
    name: str
    archived: bool
    changed: int | None
    live_id: UUID | None
    versions: list[Named]

    @property
    def live(self) -> Named | None:
        return next((version for version in self.versions if version.id == self.live_id), None)


async def history(actor: Actor, flow_id: UUID) -> History:
    """4 statements, and 1 for the live version's document when it was not seen lately. Raises NotFound."""
    async with page_tx(actor.workspace_id):
        flow = await queries.editor(actor, flow_id)
        versions = await runs.named_versions(actor, flow_id)
    changed = len(changes(flow.live_flow, flow.flow, catalogue.load())) if flow.live_flow is not None else None
    return History(flow_id, flow.flow.name, flow.archived, changed, flow.live_version_id, versions)
