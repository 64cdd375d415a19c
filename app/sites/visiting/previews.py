"""Previews: a draft, shown on the site's own host to who holds a signed ticket, good for one hour."""

import base64
import hashlib
import hmac
from uuid import UUID

from app import clock, config
from app.db import tenant_tx
from app.errors import NotFound
from app.sites.blocks import decode
from app.sites.visiting.published import NavEntry, PublicPage
from app.sites.visiting.visit import PublicSite

SECONDS = 3_600


def ticket(page_id: UUID) -> str:
    """A ticket for one page: its id and the end of its hour, signed."""
    body = page_id.bytes + int(clock.epoch() + SECONDS).to_bytes(8, "big")
    return base64.urlsafe_b64encode(body + _mac(body)).rstrip(b"=").decode()


def page_of(text: str) -> UUID | None:
    """The page a ticket is for; None when it is not ours or its hour is over."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    body, mac = raw[:24], raw[24:]
    if len(raw) != 24 + 16 or not hmac.compare_digest(mac, _mac(body)):
        return None
    return UUID(bytes=body[:16]) if int.from_bytes(body[16:], "big") > clock.epoch() else None


async def draft(site: PublicSite, text: str) -> PublicPage:
    """The draft a ticket shows. It is read as the app, not as the site: the site's role can't see drafts at all."""
    page_id = page_of(text)
    if page_id is None:
        raise NotFound("This preview is over.", remedy="Open it again from the editor.")
    async with tenant_tx(site.workspace_id) as tx:
        row = await tx.fetchrow(
            "select id, path, title, description, blocks from page where id = $1 and site_id = $2", page_id, site.id
        )
        others = await tx.fetch("select path, title from page where site_id = $1 order by position", site.id)
    if row is None:
        raise NotFound("This page does not exist.")
    nav = tuple(NavEntry(each["path"], each["title"]) for each in others)
    return PublicPage(row["id"], row["path"], row["title"], row["description"], decode(row["blocks"]), nav)


def _mac(body: bytes) -> bytes:
    return hmac.digest(config.derive("page preview"), body, hashlib.sha256)[:16]
