"""Who is in a workspace, and as what. Invitations are links; the secret in the link is shown once."""

from uuid import UUID

from msgspec import Struct

from app.accounts import limits, passwords
from app.accounts.forms import InviteForm, JoinForm
from app.accounts.policy import must_be_owner
from app.accounts.service.signin import SignedIn
from app.accounts.sessions import Device, open_session
from app.accounts.tables import Invite, Membership
from app.db import Tx, system_tx, tenant_tx
from app.errors import Conflict, NotFound, Refused
from app.logs import logger
from app.web.actor import Actor
from app.web.ids import digest, new_secret

log = logger(__name__)
INVITE_DAYS = 7


class Invited(Struct, frozen=True):
    """A new invitation. `path` holds the secret: show it once, give it to one person."""

    id: UUID
    path: str


async def invite(actor: Actor, form: InviteForm) -> Invited:
    """A link that lets one person in with the given role, once, within 7 days. Owners only."""
    must_be_owner(actor)
    secret = new_secret()
    async with tenant_tx(actor.workspace_id) as tx:
        invite_id: UUID = await tx.fetchval(
            "insert into invite (workspace_id, digest, role, email, created_by, expires_at)"
            " values ($1, $2, $3, $4, $5, now() + make_interval(days => $6)) returning id",
            actor.workspace_id,
            digest(secret),
            form.role,
            form.email.strip(),
            actor.user_id,
            INVITE_DAYS,
        )
    log.info("invited", by=str(actor.user_id), role=form.role)
    return Invited(invite_id, f"/join/{secret}")


async def revoke_invite(actor: Actor, invite_id: UUID) -> None:
    """The link stops working. Raises NotFound when it was used or is of another workspace."""
    must_be_owner(actor)
    async with tenant_tx(actor.workspace_id):
        gone = await (
            Invite.delete()
            .where(Invite.id == invite_id, Invite.workspace_id == actor.workspace_id, Invite.used_at.is_null())
            .returning(Invite.id)
        )
    if not gone:
        raise NotFound("This invitation does not exist any more.")


async def accept_invite(secret: str, form: JoinForm, device: Device) -> SignedIn:
    """Make an account by an invitation, and sign in.

    The role is the invitation's, never the form's. Of two people with one link the first gets in.
    Raises NotFound for a used, revoked, old or unknown link, Refused(field="email") when the link is for another
    address, and
    Conflict(field="email") when the address already has an account (that person signs in and then opens the link).
    """
    await limits.by_network("join", device.address)
    passwords.check(form.password, known=(form.email, form.name))
    async with system_tx("join") as tx:
        await _usable(tx, secret, form.email)
    hashed = await passwords.make_hash(form.password)
    async with system_tx("join") as tx:
        row = await _usable(tx, secret, form.email)
        user_id: UUID | None = await tx.fetchval(
            "insert into user_account (email, name, password_hash, last_sign_in_at) values ($1, $2, $3, now())"
            " on conflict ((lower(email))) do nothing returning id",
            form.email.strip(),
            form.name.strip(),
            hashed,
        )
        if user_id is None:
            raise Conflict(
                "This e-mail already has an account here.", remedy="Sign in, then open the link again.", field="email"
            )
        return await _let_in(tx, row["id"], row["workspace_id"], user_id, row["role"], device)


async def join(actor: Actor, secret: str, device: Device) -> SignedIn:
    """Somebody who is signed in takes an invitation: a new session, in that workspace. Raises as accept_invite does."""
    async with system_tx("join") as tx:
        entered = await join_by_invite(tx, secret, actor.user_id, actor.email, device)
        await tx.execute("delete from session where id = $1", actor.session_id)
    return entered


async def join_by_invite(tx: Tx, secret: str, user_id: UUID, email: str, device: Device) -> SignedIn:
    """An existing or just made account takes an invitation, inside a system_tx. Raises as accept_invite does."""
    row = await _usable(tx, secret, email)
    return await _let_in(tx, row["id"], row["workspace_id"], user_id, row["role"], device)


async def change_role(actor: Actor, user_id: UUID, role: str) -> None:
    """A member gets another role at once; their sessions in this workspace end, so that nothing old stays open.
    Owners only.

    Raises Conflict when the last owner would be gone, NotFound for somebody who is not in this workspace.
    """
    must_be_owner(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _lock_owners(tx, actor.workspace_id, user_id, leaving=role != "owner")
        changed = await (
            Membership.update({Membership.role: role})
            .where(Membership.workspace_id == actor.workspace_id, Membership.user_id == user_id)
            .returning(Membership.user_id)
        )
        if not changed:
            raise _nobody()
    await _end_sessions(actor.workspace_id, user_id, actor.session_id)
    log.info("role changed", by=str(actor.user_id), of=str(user_id), role=role)


async def remove_member(actor: Actor, user_id: UUID) -> None:
    """A member is out: sessions and keys of this person for this workspace are dead with the next request. Owners only.

    Raises Conflict for the last owner, NotFound for somebody who is not in this workspace.
    """
    must_be_owner(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _lock_owners(tx, actor.workspace_id, user_id, leaving=True)
        gone = await (
            Membership.delete()
            .where(Membership.workspace_id == actor.workspace_id, Membership.user_id == user_id)
            .returning(Membership.user_id)
        )
        if not gone:
            raise _nobody()
        await tx.execute("update api_key set revoked_at = now() where user_id = $1 and revoked_at is null", user_id)
    await _end_sessions(actor.workspace_id, user_id, None)
    log.info("member removed", by=str(actor.user_id), of=str(user_id))


async def _usable(tx: Tx, secret: str, email: str) -> dict[str, object]:
    row = await tx.fetchrow(
        "select id, workspace_id, role, email from invite"
        " where digest = $1 and used_at is null and expires_at > now() for update",
        digest(secret),
    )
    if row is None:
        raise NotFound("This invitation was used, taken back, or is too old.", remedy="Ask for a new one.")
    if row["email"] and row["email"].casefold() != email.strip().casefold():
        raise Refused("This invitation is for another e-mail address.", remedy="Use that address.", field="email")
    return dict(row)


async def _let_in(
    tx: Tx, invite_id: object, workspace_id: object, user_id: UUID, role: object, device: Device
) -> SignedIn:
    assert isinstance(workspace_id, UUID)  # noqa: S101 -- tells the type checker what the column is
    await tx.execute("update invite set used_at = now(), used_by = $2 where id = $1", invite_id, user_id)
    await tx.execute(
        "insert into membership (workspace_id, user_id, role) values ($1, $2, $3) on conflict do nothing",
        workspace_id,
        user_id,
        role,
    )
    log.info("joined", user_id=str(user_id), workspace_id=str(workspace_id))
    return SignedIn(await open_session(tx, user_id, workspace_id, device), user_id, workspace_id)


async def _lock_owners(tx: Tx, workspace_id: UUID, user_id: UUID, *, leaving: bool) -> None:
    """Two owners who remove each other at the same moment must not both succeed."""
    rows = await tx.fetch(
        "select user_id from membership where workspace_id = $1 and role = 'owner' for update", workspace_id
    )
    if leaving and [row["user_id"] for row in rows] == [user_id]:
        raise Conflict("This is the only owner.", remedy="Make somebody else an owner first.")


async def _end_sessions(workspace_id: UUID, user_id: UUID, but: UUID | None) -> None:
    async with system_tx("end sessions") as tx:
        await tx.execute(
            "delete from session where user_id = $1 and workspace_id = $2 and id is distinct from $3",
            user_id,
            workspace_id,
            but,
        )


def _nobody() -> NotFound:
    return NotFound("This person is not in the workspace.")
