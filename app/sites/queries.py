"""What the dashboard shows of sites. Each a fixed number of SQL statements, starting from the actor."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app import config
from app.db import tenant_tx
from app.errors import NotFound
from app.sites.blocks import Block, decode
from app.web.actor import Actor
from app.web.search import Hit, like


class PageRow(Struct, frozen=True):
    """A page in the list. `changed`: the draft is newer than what visitors see."""

    id: UUID
    path: str
    title: str
    live: bool
    changed: bool
    updated_at: datetime


class SiteView(Struct, frozen=True):
    id: UUID
    slug: str
    name: str
    hue: float
    strength: float
    keep_days: int
    turns_per_day: int
    conversations: int
    submissions: int
    pages: list[PageRow]

    @property
    def url(self) -> str:
        return site_url(self.slug)


class VersionRow(Struct, frozen=True):
    number: int
    title: str
    published_at: datetime
    live: bool


class PageView(Struct, frozen=True):
    """One page as its editor sees it."""

    id: UUID
    site_id: UUID
    site_name: str
    slug: str
    path: str
    title: str
    description: str
    rev: int
    live: bool
    changed: bool
    blocks: list[Block]
    versions: list[VersionRow]

    @property
    def url(self) -> str:
        return site_url(self.slug).rstrip("/") + self.path


_PAGE = """
p.id, p.path, p.title, p.live_version_id is not null as live, p.updated_at,
v.id is null or (v.blocks, v.title, v.description, v.path) is distinct from (p.blocks, p.title, p.description, p.path)
    as changed
from page p left join page_version v on v.id = p.live_version_id"""


def site_url(slug: str) -> str:
    """Where visitors find a site: its own host, on the port and scheme of the dashboard."""
    scheme, _, rest = config.settings().base_url.partition("://")
    _, colon, port = rest.partition(":")
    return f"{scheme}://{slug}.{config.settings().sites_domain}{colon}{port}/"


async def site(actor: Actor) -> SiteView | None:
    """The workspace's site with its pages; None before it was opened. Two statements."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            """select s.id, s.slug, s.name, s.hue, s.strength, s.keep_days, s.turns_per_day,
                      (select count(*) from conversation where site_id = s.id) as conversations,
                      (select count(*) from submission where site_id = s.id) as submissions
               from site s order by s.created_at limit 1"""
        )
        if row is None:
            return None
        pages = await tx.fetch(f"select {_PAGE} where p.site_id = $1 order by p.position, p.created_at", row["id"])
    return SiteView(pages=[PageRow(**page) for page in pages], **row)


async def named(actor: Actor, words: str, limit: int) -> list[Hit]:
    """Pages by title or path, for Ctrl K. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, title, path from page where title ilike $1 or path ilike $1 order by title limit $2",
            like(words),
            limit,
        )
    return [Hit(row["title"] or row["path"], row["path"], f"/site/pages/{row['id']}") for row in rows]


async def page(actor: Actor, page_id: UUID) -> PageView:
    """One page with its blocks and its last 20 versions. Two statements. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            f"""select s.slug, s.name as site_name, p.site_id, p.description, p.rev, p.blocks, {_PAGE}
                join site s on s.id = p.site_id where p.id = $1""",
            page_id,
        )
        if row is None:
            raise NotFound("This page does not exist.")
        versions = await tx.fetch(
            """select v.number, v.title, v.published_at, v.id = p.live_version_id as live
               from page_version v join page p on p.id = v.page_id
               where v.page_id = $1 order by v.number desc limit 20""",
            page_id,
        )
    facts = dict(row)
    facts.pop("updated_at")
    blocks = decode(facts.pop("blocks"))
    rows = [VersionRow(each["number"], each["title"], each["published_at"], bool(each["live"])) for each in versions]
    return PageView(blocks=blocks, versions=rows, **facts)


async def pages_of_flows(actor: Actor) -> dict[UUID, str]:
    """Where visitors meet each flow: flow id -> address of a published page with a block bound to it."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            """select distinct on (flow_id) (b->>'flow_id')::uuid as flow_id, s.slug, v.path
               from page p join page_version v on v.id = p.live_version_id join site s on s.id = p.site_id
               cross join lateral jsonb_array_elements(v.blocks) b
               where b ? 'flow_id' order by flow_id, p.position"""
        )
    return {row["flow_id"]: site_url(row["slug"]).rstrip("/") + row["path"] for row in rows}
