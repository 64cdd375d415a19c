"""Opening a site, its name, address and look."""

import re
import unicodedata
from uuid import UUID

import asyncpg

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound
from app.sites.forms import SiteForm
from app.web.actor import Actor

_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i"})
RESERVED_SLUGS = frozenset({"www", "app", "api", "admin", "mail", "static", "localhost", "agentbase"})


async def open_site(actor: Actor, name: str) -> UUID:
    """The workspace's site, made at the first call; its address is its name ("Fernhill Garden": fernhill-garden).

    An address that somebody has already gets a number. Returns the id of the site.
    """
    may_edit(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        return await opened(tx, actor.workspace_id, name)


async def change_site(actor: Actor, site_id: UUID, form: SiteForm) -> None:
    """Name, address and look. Published at once: these are the site's, not a page's.

    Raises Conflict(field="slug") when the address is another site's or reserved.
    """
    may_edit(actor)
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


def slug_of(name: str) -> str:
    """A name as an address: ascii letters, digits and single dashes; "site" when nothing is left."""
    plain = unicodedata.normalize("NFC", name).lower().translate(_PLAIN)
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "site"


async def opened(tx: Tx, workspace_id: UUID, name: str) -> UUID:
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


def may_edit(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Changing the site is up to its editors.", remedy="Ask the owner for the role “editor”.")
