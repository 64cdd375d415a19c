"""Previews: a draft, shown on the site's own host to who holds a signed ticket, good for one hour."""

import base64
import hashlib
import hmac
import re
from uuid import UUID

from msgspec import Struct

from app import clock, config
from app.db import tenant_tx
from app.errors import NotFound
from app.sites.blocks import decode
from app.sites.visiting.published import NavEntry, PublicPage
from app.sites.visiting.visit import PublicSite

SECONDS = 3_600


ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,260}")


class Ticket(Struct, frozen=True):
    """What a ticket says: the page, and the dashboard's origin, which alone may show it in a frame ("" = nobody).

    `over`: its hour is. It opens nothing any more, but the dashboard's frame still shows the page that says so.
    """

    page_id: UUID
    framed_by: str
    over: bool


def ticket(page_id: UUID, framed_by: str = "") -> str:
    """A ticket for one page: its id, the end of its hour, the origin of the page around it; signed.

    The origin travels along because the dashboard has several names (localhost, 127.0.0.1, an address of the network)
    and only the one it was opened by is the one the browser compares.
    """
    framed_by = framed_by.lower() if ORIGIN.fullmatch(framed_by.lower()) else ""
    body = page_id.bytes + int(clock.epoch() + SECONDS).to_bytes(8, "big") + framed_by.encode()
    return base64.urlsafe_b64encode(body + _mac(body)).rstrip(b"=").decode()


def read(text: str) -> Ticket | None:
    """What a ticket says; None when it is not ours."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    body, mac = raw[:-16], raw[-16:]
    if len(body) < 24 or not hmac.compare_digest(mac, _mac(body)):
        return None
    over = int.from_bytes(body[16:24], "big") <= clock.epoch()
    return Ticket(UUID(bytes=body[:16]), body[24:].decode(), over)


async def draft(site: PublicSite, shown: Ticket | None) -> PublicPage:
    """The draft a ticket shows. It is read as the app, not as the site: the site's role can't see drafts at all."""
    if shown is None or shown.over:
        raise NotFound("This preview is over.", remedy="Open it again from the editor.")
    async with tenant_tx(site.workspace_id) as tx:
        row = await tx.fetchrow(
            "select id, path, title, description, blocks from page where id = $1 and site_id = $2",
            shown.page_id,
            site.id,
        )
        others = await tx.fetch("select path, title from page where site_id = $1 order by position", site.id)
    if row is None:
        raise NotFound("This page does not exist.")
    nav = tuple(NavEntry(each["path"], each["title"]) for each in others)
    return PublicPage(row["id"], row["path"], row["title"], row["description"], decode(row["blocks"]), nav)


def _mac(body: bytes) -> bytes:
    return hmac.digest(config.derive("page preview"), body, hashlib.sha256)[:16]
