"""Two states of one flow beside each other: the draft, what is live, any version, or nothing at all."""

from uuid import UUID

from msgspec import Struct

from app.db import page_tx
from app.errors import NotFound
from app.runs import queries as runs
from app.runs.queries import Named
from app.studio import queries
from app.studio.difference import Difference, difference
from app.web import Actor
from flows import catalogue
from flows.model import Flow

NOTHING = "nothing"
"""Before the first version."""
UNKNOWN = "This version does not exist."


class Side(Struct, frozen=True):
    """`ref`: "draft", "nothing" or the version's number. `version_id`: None for the draft and for nothing."""

    ref: str
    title: str
    flow: Flow
    version_id: UUID | None = None
    live: bool = False


class Compared(Struct, frozen=True):
    """`versions`: newest first, for choosing others. `live`: the number of the live one, None = none is."""

    flow_id: UUID
    name: str
    rev: int
    archived: bool
    before: Side
    after: Side
    found: Difference
    versions: list[Named]
    live: int | None

    @property
    def options(self) -> list[tuple[str, str]]:
        listed = [(str(v.number), f"{v.title}{' (live)' if v.number == self.live else ''}") for v in self.versions]
        return [("draft", "Draft"), *listed, (NOTHING, "Nothing")]


async def compare(actor: Actor, flow_id: UUID, before: str = "", after: str = "") -> Compared:
    """Sides: "draft", "live", "nothing", a version's number or its id.

    Not said: what is live (nothing, when nothing is) beside the draft. 5 statements, 6 to 7 when documents of versions
    were not seen lately. Raises NotFound for a flow or a side that is not there.
    """
    async with page_tx(actor.workspace_id):
        flow = await queries.editor(actor, flow_id)
        versions = await runs.named_versions(actor, flow_id)
        live = next((v for v in versions if v.id == flow.live_version_id), None)
        one = await _side(actor, flow, versions, before or ("live" if live is not None else NOTHING))
        two = await _side(actor, flow, versions, after or "draft")
    found = difference(one.flow, two.flow, catalogue.load())
    number = live.number if live is not None else None
    return Compared(flow_id, flow.flow.name, flow.rev, flow.archived, one, two, found, versions, number)


async def _side(actor: Actor, flow: queries.Editor, versions: list[Named], ref: str) -> Side:
    if ref == "draft":
        return Side("draft", "Draft", flow.flow)
    if ref == NOTHING:
        return Side(NOTHING, "Nothing", Flow(name=flow.flow.name, description=flow.flow.description))
    wanted = str(flow.live_version_id) if ref == "live" else ref
    chosen = next((v for v in versions if wanted in (str(v.id), str(v.number))), None)
    document = await queries.live_flow(actor, chosen.id) if chosen is not None else None
    if chosen is None or document is None:
        raise NotFound(UNKNOWN, remedy="Choose another one.")
    return Side(str(chosen.number), chosen.title, document, chosen.id, chosen.id == flow.live_version_id)
