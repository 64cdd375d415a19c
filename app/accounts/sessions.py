"""Sessions and keys in the database: what app/web asks for on every request. Raw SQL: these are the hottest queries
we have.
"""

from typing import Any
from uuid import UUID

from msgspec import Struct

from app import db
from app.accounts.policy import IDLE, rights_of
from app.db import Tx, system_tx
from app.errors import Unavailable
from app.web.actor import Actor
from app.web.ids import digest, new_secret
from app.web.session import LIFE, Session

REFRESH = 300
"""Seconds between two writes of "last seen": at most one UPDATE per session in this time."""


class Device(Struct, frozen=True):
    """Where a session is used from: what the browser says about itself, and its address."""

    user_agent: str = ""
    address: str = ""


async def open_session(tx: Tx, user_id: UUID, workspace_id: UUID, device: Device) -> str:
    """A new session inside a system_tx; returns the secret for the cookie, which is nowhere else."""
    secret = new_secret()
    await tx.execute(
        "insert into session (digest, user_id, workspace_id, user_agent, address, expires_at)"
        " values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
        digest(secret),
        user_id,
        workspace_id,
        device.user_agent[:400],
        device.address[:64],
        float(LIFE),
    )
    return secret


async def find_session(key: bytes) -> Session | None:
    """The session whose cookie has this SHA-256, or None: unknown, ended, unused for too long, or its person is
    gone or disabled.

    The role is read anew each time: whoever loses it, loses it with the next request.
    """
    row = await _found(_FIND_SESSION, key, float(IDLE))
    if row is None:
        return None
    due = row["unseen"] > REFRESH
    if due:
        await db.pools["system"].execute("update session set seen_at = now() where id = $1", row["session_id"])
    return Session(_actor(row, row["role"], session_id=row["session_id"]), key, int(row["seconds_left"]), due)


_FIND_SESSION = """
select s.id as session_id, s.user_id, s.workspace_id, u.name, u.email, u.theme, u.density, u.language, m.role, w.name as
workspace_name,
       extract(epoch from s.expires_at - now())::float8 as seconds_left, extract(epoch from now() -
       s.seen_at)::float8 as unseen
from session s
join user_account u on u.id = s.user_id and u.disabled_at is null
join membership m on m.user_id = s.user_id and m.workspace_id = s.workspace_id
join workspace w on w.id = s.workspace_id
where s.digest = $1 and s.expires_at > now() and s.seen_at > now() - make_interval(secs => $2)
"""


async def find_key(key: bytes) -> Actor | None:
    """The actor of an API key by its SHA-256. A key never has more rights than the person who made it has today."""
    row = await _found(_FIND_KEY, key)
    if row is None:
        return None
    if row["unused"] is None or row["unused"] > 60:
        await db.pools["system"].execute("update api_key set used_at = now() where id = $1", row["key_id"])
    return _actor(row, "key", key_id=row["key_id"], scopes=frozenset(row["scopes"]) & rights_of(row["role"]))


_FIND_KEY = """
select k.id as key_id, k.user_id, k.workspace_id, k.scopes, u.name, u.email, u.theme, u.density, u.language, m.role,
       w.name as workspace_name, extract(epoch from now() - k.used_at)::float8 as unused
from api_key k
join user_account u on u.id = k.user_id and u.disabled_at is null
join membership m on m.user_id = k.user_id and m.workspace_id = k.workspace_id
join workspace w on w.id = k.workspace_id
where k.digest = $1 and k.revoked_at is null
"""


async def _found(query: str, *arguments: Any) -> Any:
    """One row, or None. Connections that died idle, as all do when the server restarts, are passed over.

    Raises Unavailable when the database does not answer.
    """
    pool = db.pools["system"]
    for left in range(pool.get_max_size(), -1, -1):
        try:
            return await pool.fetchrow(query, *arguments)
        except db.LOST as problem:
            if not left or isinstance(problem, ConnectionRefusedError):
                raise Unavailable("The database does not answer at the moment.") from problem
    return None


async def close_session(session_id: UUID) -> None:
    async with system_tx("sign out") as tx:
        await tx.execute("delete from session where id = $1", session_id)


def _actor(row: Any, role: Any, **more: Any) -> Actor:
    return Actor(
        user_id=row["user_id"],
        workspace_id=row["workspace_id"],
        role=role,
        name=row["name"],
        email=row["email"],
        workspace_name=row["workspace_name"],
        theme=row["theme"],
        density=row["density"],
        language=row["language"],
        **more,
    )
