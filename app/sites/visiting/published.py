"""Published pages, read under the role of sites: versions only, never a draft."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from app.db import site_tx
from app.errors import NotFound
from app.sites.blocks import Block, decode
from app.sites.visiting.visit import PublicSite


class NavEntry(Struct, frozen=True):
    path: str
    title: str


class PublicPage(Struct, frozen=True):
    """One page as published (or, in a preview, as drafted)."""

    id: UUID
    path: str
    title: str
    description: str
    blocks: list[Block]
    nav: tuple[NavEntry, ...]

    def block(self, block_id: str) -> Block:
        """Raises NotFound for a block that the page does not have (any more)."""
        for block in self.blocks:
            if block.id == block_id:
                return block
        raise NotFound("This part of the page was taken away.", remedy="Reload the page.")


_LIVE = """
select v.page_id, v.path, v.title, v.description, v.blocks, v.position
from page p join page_version v on v.id = p.live_version_id
where p.site_id = $1 order by v.position, v.published_at"""


async def page_at(site: PublicSite, path: str) -> PublicPage:
    """The published page at a path ("/" = front page, and the first page where none has that address)."""
    rows = await _live(site)
    for row in rows:
        if row["path"] == path:
            return _page(row, rows)
    if path == "/" and rows:
        return _page(rows[0], rows)
    raise NotFound("This page does not exist.", remedy="Go to the front page.")


async def page_of(site: PublicSite, page_id: UUID) -> PublicPage:
    rows = await _live(site)
    for row in rows:
        if row["page_id"] == page_id:
            return _page(row, rows)
    raise NotFound("This page does not exist.", remedy="Go to the front page.")


async def paths(site: PublicSite) -> list[str]:
    return [row["path"] for row in await _live(site)]


async def _live(site: PublicSite) -> list[dict[str, Any]]:
    async with site_tx(site.workspace_id) as tx:
        return [dict(row) for row in await tx.fetch(_LIVE, site.id)]


def _page(row: dict[str, Any], rows: list[dict[str, Any]]) -> PublicPage:
    nav = tuple(NavEntry(each["path"], each["title"]) for each in rows)
    return PublicPage(row["page_id"], row["path"], row["title"], row["description"], decode(row["blocks"]), nav)
