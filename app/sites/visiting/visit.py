"""Who visits which site: from the Host header and the visitor's cookie."""

import hashlib
import secrets
from collections import OrderedDict
from uuid import UUID

from msgspec import Struct

from app import clock, config
from app.db import system_tx
from app.sites.palette import Tint

COOKIE = "visitor"
COOKIE_DAYS = 30
REMEMBER = 5.0
"""Seconds for which a host's answer is kept: a renamed site moves within them."""


class PublicSite(Struct, frozen=True):
    """What every visitor may know of a site."""

    id: UUID
    workspace_id: UUID
    slug: str
    name: str
    theme: str
    tint: Tint
    keep_days: int
    turns_per_day: int


class Visit(Struct, frozen=True):
    """One visitor at one site. `visitor` is the SHA-256 of the cookie's secret, None before the first cookie."""

    site: PublicSite
    visitor: bytes | None
    address: str


_known: OrderedDict[str, tuple[float, PublicSite | None]] = OrderedDict()


def slug_of_host(host: str) -> str:
    """The part of a host name in front of the sites' domain; "" when it is no site's host."""
    name = host.rsplit(":", 1)[0].lower().rstrip(".")
    slug, _, domain = name.partition(".")
    return slug if domain == config.settings().sites_domain.lower() else ""


async def site_of_host(host: str) -> PublicSite | None:
    """The site that a Host header means, or None. Every request asks, so the answer is kept for a moment."""
    slug = slug_of_host(host)
    if not slug:
        return None
    now = clock.monotonic()
    kept = _known.get(slug)
    if kept is not None and kept[0] > now:
        return kept[1]
    async with system_tx("site of a host") as tx:
        row = await tx.fetchrow(
            """select id, workspace_id, slug, name, theme, hue, strength, keep_days, turns_per_day
               from site where slug = $1""",
            slug,
        )
    site = None
    if row is not None:
        facts = dict(row)
        tint = Tint(hue=facts.pop("hue"), strength=facts.pop("strength"))
        site = PublicSite(tint=tint, **facts)
    _known[slug] = (now + REMEMBER, site)
    _known.move_to_end(slug)
    while len(_known) > 1_000:  # a scan over made-up hosts must not grow memory
        _known.popitem(last=False)
    return site


def forget(slug: str) -> None:
    """Drop what is known about a site: it was changed by this process."""
    _known.pop(slug, None)


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def visitor_of(secret: str) -> bytes | None:
    """What is stored of a visitor's cookie; None for one that we never made."""
    return hashlib.sha256(b"visitor/" + secret.encode()).digest() if 20 <= len(secret) <= 64 else None
