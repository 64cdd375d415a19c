"""Read models of the front page, the list of flows and the palette. Each says how many SQL statements it takes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.runs import queries as runs
from app.runs.queries import Glance, Waiting, Week
from app.studio.diagram import Diagram, diagram
from app.studio.faces import faces
from app.studio.service import store
from app.web import Actor
from flows import catalogue

Tab = Literal["all", "live", "drafts", "archived"]
Sort = Literal["run", "changed", "name"]


class FlowCard(Struct, frozen=True):
    """A flow as its card shows it. `version`: the live one, None = a draft. `address`: where visitors meet it."""

    id: UUID
    name: str
    description: str
    steps: int
    version: int | None
    archived: bool
    updated_at: datetime
    picture: Diagram
    last: Glance | None = None
    address: str = ""

    @property
    def state(self) -> str:
        """The one state worth a badge: what needs somebody first, then what goes on, then what the flow is."""
        if self.archived:
            return "archived"
        if self.last and self.last.needs_you:
            return "waiting"
        if self.last and self.last.status in ("failed", "running", "queued"):
            return "running" if self.last.status == "queued" else self.last.status
        return "draft" if self.version is None else "live"

    @property
    def host(self) -> str:
        return self.address.partition("://")[2].rstrip("/")


class Counts(Struct, frozen=True):
    """Flows by tab; `all` without the archived ones."""

    all: int
    live: int
    drafts: int
    archived: int


class Hit(Struct, frozen=True):
    """A flow that the palette found."""

    id: UUID
    name: str
    live: bool


_TABS: dict[Tab, str] = {
    "all": "f.archived_at is null",
    "live": "f.archived_at is null and f.live_version_id is not null",
    "drafts": "f.archived_at is null and f.live_version_id is null",
    "archived": "f.archived_at is not null",
}
_ORDERS: dict[Sort, str] = {"run": "f.updated_at desc", "changed": "f.updated_at desc", "name": "lower(f.name)"}
MOST = 200


async def cards(
    actor: Actor, tab: Tab = "all", sort: Sort = "run", search: str = "", limit: int = MOST
) -> list[FlowCard]:
    """Flows as cards, at most 200. By last run: flows that ran come first, the newest run on top. 3 statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            f"""select f.id, f.name, f.description, f.document, f.step_count, f.updated_at, f.archived_at, v.number
                from flow f left join flow_version v on v.id = f.live_version_id
                where {_TABS[tab]} and ($1 = '' or f.name ilike $2 or f.description ilike $2)
                order by {_ORDERS[sort]}, f.id limit $3""",  # noqa: S608  constants
            search,
            f"%{_escaped(search)}%",
            limit,
        )
    ids = [row["id"] for row in rows]
    last = await runs.latest(actor, ids)
    addresses = await faces().addresses(actor, ids)
    kinds = catalogue.load()
    found = [
        FlowCard(
            id=row["id"],
            name=row["name"],
            description=row["description"],
            steps=row["step_count"],
            version=row["number"],
            archived=row["archived_at"] is not None,
            updated_at=row["updated_at"],
            picture=diagram(store.decode_flow(row["document"]), kinds),
            last=last.get(row["id"]),
            address=addresses.get(row["id"], ""),
        )
        for row in rows
    ]
    if sort == "run":
        found.sort(
            key=lambda card: (card.last is not None, card.last.at if card.last else card.updated_at), reverse=True
        )
    return found


async def counts(actor: Actor) -> Counts:
    """1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            """select count(*) filter (where archived_at is null) as all,
                      count(*) filter (where archived_at is null and live_version_id is not null) as live,
                      count(*) filter (where archived_at is null and live_version_id is null) as drafts,
                      count(*) filter (where archived_at is not null) as archived
               from flow"""
        )
    return Counts(**dict(row))


async def found(actor: Actor, search: str, limit: int = 8) -> list[Hit]:
    """Flows whose name holds these letters; without letters the ones changed last. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select id, name, live_version_id is not null as live from flow
               where archived_at is null and ($1 = '' or name ilike $2)
               order by starts_with(lower(name), lower($1)) desc, updated_at desc limit $3""",
            search,
            f"%{_escaped(search)}%",
            limit,
        )
    return [Hit(row["id"], row["name"], row["live"]) for row in rows]


async def waiting(actor: Actor) -> tuple[Waiting, str]:
    """What waits for a person, and the name of the flow that waits longest. 1 statement, 2 when something waits."""
    now = await runs.waiting(actor)
    if now.oldest is None:
        return now, ""
    async with tenant_tx(actor.workspace_id) as tx:
        name: str | None = await tx.fetchval("select name from flow where id = $1", now.oldest.flow_id)
    return now, name or ""


async def week(actor: Actor) -> Week:
    return await runs.week(actor)


def _escaped(text: str) -> str:
    """For ILIKE: % and _ are letters like any other."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
