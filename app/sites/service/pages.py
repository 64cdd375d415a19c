"""Pages: drafts that editors write, versions that visitors see."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound
from app.sites import blocks as page_blocks
from app.sites.blocks import Block
from app.sites.forms import NewPageForm, PageForm
from app.sites.service.sites import may_edit
from app.web.actor import Actor


async def add_page(actor: Actor, site_id: UUID, form: NewPageForm, blocks: Sequence[Block] = ()) -> UUID:
    """A new page, as a draft that only its editors see. Raises Conflict(field="path") when the address is taken."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        if not await tx.fetchval("select true from site where id = $1", site_id):
            raise NotFound("This site does not exist.")
        return await added(tx, actor.workspace_id, site_id, form, list(blocks))


async def save_page(actor: Actor, page_id: UUID, form: PageForm) -> int:
    """Replace the draft of a page; visitors keep seeing the published version. Returns the new revision.

    Raises Conflict when somebody saved the page after `form.rev`, or when its address is another page's.
    """
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        stored = await locked(tx, page_id)
        if stored["rev"] != form.rev:
            raise Conflict(
                "Somebody changed this page meanwhile.", remedy="Reload it; what you wrote is still in the fields."
            )
        try:
            return int(
                await tx.fetchval(
                    """update page set title = $2, description = $3, path = $4, blocks = $5, rev = rev + 1,
                       updated_at = now() where id = $1 returning rev""",
                    page_id, form.title, form.description, form.path, page_blocks.encode(form.blocks),
                )
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise _path_taken(form.path) from None


async def publish_page(actor: Actor, page_id: UUID) -> int:
    """Make the draft what visitors see: an immutable version. Returns its number."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        return await published(tx, actor, page_id)


async def unpublish_page(actor: Actor, page_id: UUID) -> None:
    """Take a page off the site. Its versions stay, so publishing brings it back."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await locked(tx, page_id)
        await tx.execute("update page set live_version_id = null, updated_at = now() where id = $1", page_id)


async def restore_page(actor: Actor, page_id: UUID, number: int) -> int:
    """Copy a published version back into the draft. Returns the new revision."""
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await locked(tx, page_id)
        rev = await tx.fetchval(
            """update page set title = v.title, description = v.description, blocks = v.blocks, rev = rev + 1,
               updated_at = now() from page_version v
               where page.id = $1 and v.page_id = page.id and v.number = $2 returning page.rev""",
            page_id, number,
        )  # fmt: skip
        if rev is None:
            raise NotFound(f"Version {number} of this page does not exist.")
        return int(rev)


async def added(tx: Tx, workspace_id: UUID, site_id: UUID, form: NewPageForm, blocks: list[Block]) -> UUID:
    try:
        made = await tx.fetchval(
            """insert into page (workspace_id, site_id, path, title, blocks, position)
               values ($1, $2, $3, $4, $5, (select count(*) from page where site_id = $2)) returning id""",
            workspace_id, site_id, form.path, form.title, page_blocks.encode(blocks),
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise _path_taken(form.path) from None
    return UUID(str(made))


async def published(tx: Tx, actor: Actor, page_id: UUID) -> int:
    await locked(tx, page_id)
    version = await tx.fetchrow(
        """insert into page_version
               (workspace_id, page_id, number, path, title, description, position, blocks, published_by)
           select workspace_id, id, coalesce((select max(number) from page_version where page_id = $1), 0) + 1,
                  path, title, description, position, blocks, $2 from page where id = $1 returning id, number""",
        page_id, actor.user_id,
    )  # fmt: skip
    assert version is not None  # noqa: S101 - the page is locked above
    await tx.execute("update page set live_version_id = $2 where id = $1", page_id, version["id"])
    return int(version["number"])


async def locked(tx: Tx, page_id: UUID) -> asyncpg.Record:
    stored = await tx.fetchrow("select id, rev, blocks from page where id = $1 for update", page_id)
    if stored is None:
        raise NotFound("This page does not exist.")
    return stored


def _path_taken(path: str) -> Conflict:
    return Conflict(f"Another page of this site has the address {path}.", remedy="Choose another one.", field="path")
