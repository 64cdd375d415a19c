"""People, workspaces and what proves who they are."""

from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct

from app.accounts.service.keys import INCLUDED
from app.accounts.sessions import Device, find_session, open_session
from app.db import system_tx
from app.web.actor import Actor
from app.web.ids import digest, new_secret

PASSWORD = "four quiet green herons"


def a_password_hash(password: str = PASSWORD) -> str:
    """With the least memory and time there is, so that a hundred tests don't wait for argon2."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


class Entered(Struct, frozen=True):
    """Somebody with a session: the actor as guards see it, and the cookie's secret."""

    actor: Actor
    secret: str


async def a_person(
    *, role: str = "owner", workspace_id: UUID | None = None, email: str = "", name: str = "", password: str = ""
) -> Entered:
    """A member of a workspace (a new one unless told), signed in. Without `password` there is none."""
    email = email or f"{uuid4().hex[:12]}@fernhill.example"
    async with system_tx("factory") as tx:
        if workspace_id is None:
            workspace_id = await tx.fetchval(
                "insert into workspace (name) values ($1) returning id", f"Garden {uuid4().hex[:6]}"
            )
        user_id = await tx.fetchval(
            "insert into user_account (email, name, password_hash) values ($1, $2, $3) returning id",
            email,
            name or "Mara Fern",
            a_password_hash(password) if password else "",
        )
        await tx.execute(
            "insert into membership (workspace_id, user_id, role) values ($1, $2, $3)", workspace_id, user_id, role
        )
        secret = await open_session(tx, user_id, workspace_id, Device("Mozilla/5.0 (X11; Linux) Firefox/145.0", "::1"))
    session = await find_session(digest(secret))
    assert session is not None
    return Entered(session.actor, secret)


async def an_actor(**which: Any) -> Actor:
    """Only the actor, for tests of verbs."""
    return (await a_person(**which)).actor


async def an_api_key(actor: Actor, rights: str = "admin") -> str:
    """The secret of a key of this person."""
    secret = new_secret("ab_")
    async with system_tx("factory") as tx:
        await tx.execute(
            "insert into api_key (workspace_id, user_id, name, prefix, digest, scopes)"
            " values ($1, $2, 'Test', $3, $4, $5)",
            actor.workspace_id,
            actor.user_id,
            secret[:10],
            digest(secret),
            list(INCLUDED[rights]),
        )
    return secret
