"""What people do with their sites. Every verb is one transaction and takes the actor first."""

import re
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound
from app.sites import blocks as page_blocks
from app.sites.blocks import Block, Chat, Form, Hero
from app.sites.forms import NewPageForm, PageForm, SiteForm
from app.web.actor import Actor

RESERVED_SLUGS = frozenset({"www", "app", "api", "admin", "mail", "static", "localhost", "agentbase"})


async def open_site(actor: Actor, name: str) -> UUID:
    """The workspace's site, made at the first call; its address is its name ("Fernhill Garden": fernhill-garden).

    An address that somebody has already gets a number. Returns the id of the site.
    """
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        return await _opened(tx, actor.workspace_id, name)


async def change_site(actor: Actor, site_id: UUID, form: SiteForm) -> None:
    """Name, address and look. Published at once: these are the site's, not a page's.

    Raises Conflict(field="slug") when the address is another site's or reserved.
    """
    _may_edit(actor)
    if form.slug in RESERVED_SLUGS:
        raise Conflict(f"The address “{form.slug}” is reserved.", remedy="Choose another one.", field="slug")
    async with tenant_tx(actor.workspace_id) as tx:
        try:
            changed = await tx.fetchval(
                """update site set name = $2, slug = $3, hue = $4, strength = $5, keep_days = $6, turns_per_day = $7,
                   updated_at = now() where id = $1 returning id""",
                site_id, form.name, form.slug, form.hue, form.strength, form.keep_days, form.turns_per_day,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            raise Conflict(
                f"The address “{form.slug}” belongs to another site.", remedy="Choose another one.", field="slug"
            ) from None
        if changed is None:
            raise NotFound("This site does not exist.")


async def add_page(actor: Actor, site_id: UUID, form: NewPageForm, blocks: Sequence[Block] = ()) -> UUID:
    """A new page, as a draft that only its editors see. Raises Conflict(field="path") when the address is taken."""
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        if not await tx.fetchval("select true from site where id = $1", site_id):
            raise NotFound("This site does not exist.")
        return await _added(tx, actor.workspace_id, site_id, form, list(blocks))


async def save_page(actor: Actor, page_id: UUID, form: PageForm) -> int:
    """Replace the draft of a page; visitors keep seeing the published version. Returns the new revision.

    Raises Conflict when somebody saved the page after `form.rev`, or when its address is another page's.
    """
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        stored = await _locked(tx, page_id)
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
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        return await _published(tx, actor, page_id)


async def unpublish_page(actor: Actor, page_id: UUID) -> None:
    """Take a page off the site. Its versions stay, so publishing brings it back."""
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, page_id)
        await tx.execute("update page set live_version_id = null, updated_at = now() where id = $1", page_id)


async def restore_page(actor: Actor, page_id: UUID, number: int) -> int:
    """Copy a published version back into the draft. Returns the new revision."""
    _may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _locked(tx, page_id)
        rev = await tx.fetchval(
            """update page set title = v.title, description = v.description, blocks = v.blocks, rev = rev + 1,
               updated_at = now() from page_version v
               where page.id = $1 and v.page_id = page.id and v.number = $2 returning page.rev""",
            page_id, number,
        )  # fmt: skip
        if rev is None:
            raise NotFound(f"Version {number} of this page does not exist.")
        return int(rev)


async def show_flow(actor: Actor, flow_id: UUID, *, face: str, title: str, text: str, site_name: str) -> UUID:
    """Give a flow its page and publish it: the first one is the site's front page. Returns the page's id.

    `face` is "chat" or "form". The flow itself must have been published before, or the block says that it rests.
    """
    _may_edit(actor)
    block: Block = Chat("chat", flow_id, title=title) if face == "chat" else Form("form", flow_id, title=title)
    hero = Hero("top", site_name, text=text, button="Ask a question" if face == "chat" else "Try it", target=block.id)
    async with tenant_tx(actor.workspace_id) as tx:
        site_id = await _opened(tx, actor.workspace_id, site_name)
        taken = {row["path"] for row in await tx.fetch("select path from page where site_id = $1", site_id)}
        form = NewPageForm(title=site_name if not taken else title, path=_free_path(title, taken))
        page_id = await _added(tx, actor.workspace_id, site_id, form, [hero, block])
        await _published(tx, actor, page_id)
        return page_id


def slug_of(name: str) -> str:
    """A name as an address: ascii letters, digits and single dashes; "site" when nothing is left."""
    plain = name.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e"}))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "site"


async def _opened(tx: Tx, workspace_id: UUID, name: str) -> UUID:
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"site of {workspace_id}")
    existing = await tx.fetchval("select id from site order by created_at limit 1")
    if existing is not None:
        return UUID(str(existing))
    wanted = slug_of(name)
    for number in range(1, 1000):
        slug = wanted if number == 1 else f"{wanted}-{number}"
        if slug in RESERVED_SLUGS:
            continue
        made = await tx.fetchval(
            """insert into site (workspace_id, slug, name) values ($1, $2, $3)
               on conflict (slug) do nothing returning id""",
            workspace_id, slug, name.strip()[:80],
        )  # fmt: skip
        if made is not None:
            return UUID(str(made))
    raise Conflict(f"No free address like “{wanted}” is left.", remedy="Give the site another name.")


async def _added(tx: Tx, workspace_id: UUID, site_id: UUID, form: NewPageForm, blocks: list[Block]) -> UUID:
    try:
        made = await tx.fetchval(
            """insert into page (workspace_id, site_id, path, title, blocks, position)
               values ($1, $2, $3, $4, $5, (select count(*) from page where site_id = $2)) returning id""",
            workspace_id, site_id, form.path, form.title, page_blocks.encode(blocks),
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise _path_taken(form.path) from None
    return UUID(str(made))


async def _published(tx: Tx, actor: Actor, page_id: UUID) -> int:
    await _locked(tx, page_id)
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


async def _locked(tx: Tx, page_id: UUID) -> asyncpg.Record:
    stored = await tx.fetchrow("select id, rev from page where id = $1 for update", page_id)
    if stored is None:
        raise NotFound("This page does not exist.")
    return stored


def _free_path(title: str, taken: set[str]) -> str:
    if "/" not in taken:
        return "/"
    wanted = "/" + slug_of(title)
    return next(path for path in (wanted, *(f"{wanted}-{n}" for n in range(2, 1000))) if path not in taken)


def _path_taken(path: str) -> Conflict:
    return Conflict(f"Another page of this site has the address {path}.", remedy="Choose another one.", field="path")


def _may_edit(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Changing the site is up to its editors.", remedy="Ask the owner for the role “editor”.")
