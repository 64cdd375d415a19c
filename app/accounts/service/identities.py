"""Accounts that came in, or may come in, by another provider."""

from uuid import UUID

from app.accounts.oidc import Outside
from app.accounts.service.members import join_by_invite
from app.accounts.service.signin import SignedIn, enter
from app.accounts.sessions import Device
from app.db import Tx, system_tx
from app.errors import Conflict, Refused
from app.logs import logger
from app.web.actor import Actor

log = logger(__name__)


async def sign_in_outside(outside: Outside, device: Device, invite: str = "") -> SignedIn:
    """Sign in whoever this identity belongs to; with an invitation, a new account is made for it.

    Raises Refused for an identity that nobody here has connected: an equal e-mail address is no proof, the person signs
    in by password first and connects it. With an invitation it raises what accept_invite raises.
    """
    async with system_tx("sign in outside") as tx:
        row = await tx.fetchrow(
            "update identity i set used_at = now(), label = $3 from user_account u"
            " where i.issuer = $1 and i.subject = $2 and u.id = i.user_id returning i.user_id, u.disabled_at, u.email",
            outside.issuer,
            outside.subject,
            outside.label,
        )
        if row is not None and row["disabled_at"] is None:
            if invite:
                return await join_by_invite(tx, invite, row["user_id"], row["email"], device)
            return await enter(tx, row["user_id"], device)
        if row is not None or not invite:
            raise Refused(
                "No account here is connected with this one.",
                remedy="Sign in with your password and connect it under Settings, or ask an owner for an invitation.",
                code="not_connected",
            )
        user_id = await _new(tx, outside)
        return await join_by_invite(tx, invite, user_id, outside.email, device)


async def connect(actor: Actor, outside: Outside) -> None:
    """From now on this identity opens the account of the person who asks.

    Raises Conflict when it already opens somebody else's. Doing it twice changes nothing.
    """
    async with system_tx("connect identity") as tx:
        owner: UUID = await tx.fetchval(
            "insert into identity (user_id, issuer, subject, label) values ($1, $2, $3, $4)"
            " on conflict (issuer, subject) do update set label = excluded.label returning user_id",
            actor.user_id,
            outside.issuer,
            outside.subject,
            outside.label,
        )
        if owner != actor.user_id:
            raise Conflict("This account is already connected with somebody else here.", remedy="Use another one.")
    log.info("identity connected", user_id=str(actor.user_id), issuer=outside.issuer)


async def _new(tx: Tx, outside: Outside) -> UUID:
    if not outside.email:
        raise Refused("The provider knows no verified e-mail of yours.", remedy="Verify it there, then try again.")
    user_id: UUID | None = await tx.fetchval(
        "insert into user_account (email, name, last_sign_in_at) values ($1, $2, now())"
        " on conflict ((lower(email))) do nothing returning id",
        outside.email,
        outside.name,
    )
    if user_id is None:
        raise Conflict(
            "Your e-mail already has an account here.",
            remedy="Sign in with its password, connect the provider under Settings, then open the invitation again.",
        )
    await tx.execute(
        "insert into identity (user_id, issuer, subject, label, used_at) values ($1, $2, $3, $4, now())",
        user_id,
        outside.issuer,
        outside.subject,
        outside.label,
    )
    return user_id
