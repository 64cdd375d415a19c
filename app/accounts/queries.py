"""What pages show of people. Every query starts from the actor."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.accounts.policy import must_be_owner
from app.db import system_tx, tenant_tx
from app.web.actor import Actor
from app.web.ids import digest
from app.web.search import Hit, like


class Person(Struct, frozen=True):
    """A member as colleagues see them."""

    id: UUID
    name: str
    email: str
    role: str
    joined_at: datetime
    last_sign_in_at: datetime | None

    @property
    def label(self) -> str:
        return self.name or self.email


class OpenInvite(Struct, frozen=True):
    id: UUID
    role: str
    email: str
    created_at: datetime
    expires_at: datetime


class Device(Struct, frozen=True):
    """A browser that is signed in. `name` is read from what it says about itself: "Firefox on Linux"."""

    id: UUID
    name: str
    address: str
    created_at: datetime
    seen_at: datetime
    current: bool


class Key(Struct, frozen=True):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    by: str
    created_at: datetime
    used_at: datetime | None
    mine: bool


class Profile(Struct, frozen=True):
    name: str
    email: str
    theme: str
    density: str
    has_password: bool
    identities: list[str]
    language: str = ""


class Invitation(Struct, frozen=True):
    """What somebody with the link sees before they join."""

    workspace: str
    role: str
    email: str


async def people(actor: Actor) -> list[Person]:
    """Members of the workspace: owners first, then by the time they came."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select u.id, u.name, u.email, m.role, m.created_at, u.last_sign_in_at from membership m"
            " join user_account u on u.id = m.user_id where m.workspace_id = $1"
            " order by array_position(array['owner', 'editor', 'viewer'], m.role), m.created_at",
            actor.workspace_id,
        )
    return [Person(*row) for row in rows]


async def named(actor: Actor, words: str, limit: int) -> list[Hit]:
    """Members by name or address, for Ctrl K. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select coalesce(nullif(u.name, ''), u.email) as name, m.role from membership m"
            " join user_account u on u.id = m.user_id where m.workspace_id = $1"
            " and (u.name ilike $2 or u.email ilike $2) order by name limit $3",
            actor.workspace_id,
            like(words),
            limit,
        )
    return [Hit(row["name"], row["role"], "/settings/members") for row in rows]


async def invites(actor: Actor) -> list[OpenInvite]:
    """Links that still work, newest first. Owners only."""
    must_be_owner(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, role, email, created_at, expires_at from invite"
            " where workspace_id = $1 and used_at is null and expires_at > now() order by created_at desc",
            actor.workspace_id,
        )
    return [OpenInvite(*row) for row in rows]


async def invitation(secret: str) -> Invitation | None:
    """What a link opens, or None when it no longer does."""
    async with system_tx("invitation") as tx:
        row = await tx.fetchrow(
            "select w.name, i.role, i.email from invite i join workspace w on w.id = i.workspace_id"
            " where i.digest = $1 and i.used_at is null and i.expires_at > now()",
            digest(secret),
        )
    return Invitation(*row) if row else None


async def devices(actor: Actor) -> list[Device]:
    """The actor's own sessions, the present one first."""
    async with system_tx("devices") as tx:
        rows = await tx.fetch(
            "select id, user_agent, address, created_at, seen_at from session"
            " where user_id = $1 and expires_at > now() order by id is distinct from $2, seen_at desc",
            actor.user_id,
            actor.session_id,
        )
    return [Device(r[0], browser(r[1]), r[2], r[3], r[4], r[0] == actor.session_id) for r in rows]


async def keys(actor: Actor) -> list[Key]:
    """Keys that work: all of the workspace for owners, else one's own."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select k.id, k.name, k.prefix, k.scopes, coalesce(nullif(u.name, ''), u.email, ''), k.created_at,"
            " k.used_at, k.user_id = $2 from api_key k left join user_account u on u.id = k.user_id"
            " where k.workspace_id = $1 and k.revoked_at is null and ($3 or k.user_id = $2) order by k.created_at desc",
            actor.workspace_id,
            actor.user_id,
            actor.is_owner,
        )
    return [Key(*row) for row in rows]


async def profile(actor: Actor) -> Profile:
    async with system_tx("profile") as tx:
        row = await tx.fetchrow(
            "select name, email, theme, density, password_hash <> '' as has_password,"
            " array(select label from identity i where i.user_id = u.id order by i.created_at) as identities, language"
            " from user_account u where id = $1",
            actor.user_id,
        )
    return Profile(*row)


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str:
    """ "Firefox on Linux" from a User-Agent; what we don't know is "A browser". Good enough to recognise one's own."""
    name = next((word for sign, word in _BROWSERS if sign in user_agent), "")
    system = next((word for sign, word in _SYSTEMS if sign in user_agent), "")
    if not name:
        return user_agent.partition("/")[0][:40] or "A browser"
    return f"{name} on {system}" if system else name
