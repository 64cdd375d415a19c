"""Proving who one is, by password. By Google, GitHub and others: app/accounts/oidc."""

from uuid import UUID

from msgspec import Struct

from app.accounts import limits, passwords
from app.accounts.sessions import Device, close_session, open_session
from app.db import Tx, system_tx
from app.errors import DomainError
from app.logs import logger
from app.web.actor import Actor

log = logger(__name__)


class SignedIn(Struct, frozen=True):
    """A new session. `secret` goes into the cookie and nowhere else."""

    secret: str
    user_id: UUID
    workspace_id: UUID


class WrongPassword(DomainError):
    default_status = 422
    default_code = "wrong_password"


async def sign_in(email: str, password: str, device: Device) -> SignedIn:
    """A new session for whoever has this e-mail and password.

    An unknown e-mail, a wrong password, a disabled person and one without a password get the same words after the
    same time.
    Raises TooMany for an account or a network that was tried too often (app/accounts/limits).
    """
    known = email.strip().casefold()
    await limits.by_network("sign-in", device.address)
    await limits.by_account("sign-in", known)
    async with system_tx("sign in") as tx:
        row = await tx.fetchrow(
            "select id, password_hash from user_account where lower(email) = $1 and disabled_at is null", known
        )
    stored: str = row["password_hash"] if row else ""
    if not await passwords.matches(password, stored):
        log.info("sign-in failed", address=device.address)
        raise WrongPassword("This e-mail and password do not belong together.", remedy="Check both and try again.")
    fresh = await passwords.make_hash(password) if passwords.is_old(stored) else ""
    async with system_tx("sign in") as tx:
        if fresh:
            await tx.execute("update user_account set password_hash = $2 where id = $1", row["id"], fresh)
        return await enter(tx, row["id"], device)


async def enter(tx: Tx, user_id: UUID, device: Device) -> SignedIn:
    """A session for somebody who has proved who they are, in the workspace they were in last. Inside a system_tx.

    Raises WrongPassword for a person who is in no workspace any more: there is nothing behind the door.
    """
    workspace_id: UUID | None = await tx.fetchval(
        "select m.workspace_id from membership m where m.user_id = $1 order by"
        " (select max(s.seen_at) from session s where s.user_id = $1 and s.workspace_id = m.workspace_id)"
        " desc nulls last,"
        " m.created_at limit 1",
        user_id,
    )
    if workspace_id is None:
        raise WrongPassword("This account is in no workspace any more.", remedy="Ask an owner to invite you again.")
    await tx.execute("update user_account set last_sign_in_at = now() where id = $1", user_id)
    secret = await open_session(tx, user_id, workspace_id, device)
    log.info("signed in", user_id=str(user_id), workspace_id=str(workspace_id))
    return SignedIn(secret, user_id, workspace_id)


async def sign_out(actor: Actor) -> None:
    """End this session. Its cookie is worth nothing from the next request on."""
    if actor.session_id is not None:
        await close_session(actor.session_id)
