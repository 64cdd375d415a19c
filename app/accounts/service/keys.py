"""API keys: a prefix one can recognise, 256 random bits shown once, their SHA-256 kept."""

from uuid import UUID

from msgspec import Struct

from app.accounts.forms import KeyForm
from app.accounts.policy import rights_of
from app.accounts.tables import ApiKey
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.logs import logger
from app.web import bearer
from app.web.actor import Actor
from app.web.ids import digest, new_secret

log = logger(__name__)
PREFIX = "ab_"
INCLUDED = {
    "read": ("read",),
    "run": ("read", "run"),
    "write": ("read", "run", "write"),
    "admin": ("read", "run", "write", "admin"),
}


class NewKey(Struct, frozen=True):
    """A key at the only moment when its secret is known."""

    id: UUID
    name: str
    secret: str
    scopes: tuple[str, ...]


async def create_key(actor: Actor, form: KeyForm) -> NewKey:
    """A key of this person for this workspace, with no right that the person lacks.

    Raises NotAllowed when a key asks (a stolen key must not breed), Refused(field="rights") for rights beyond one's
    own.
    """
    if actor.role == "key":
        raise NotAllowed("A key can't make keys.", remedy="Make it in the browser, or by `agentbase key create`.")
    scopes = INCLUDED[form.rights]
    if not set(scopes) <= rights_of(actor.role):
        raise Refused("That is more than you may do yourself.", remedy="Choose fewer rights.", field="rights")
    return await _save(actor.workspace_id, actor.user_id, form.name.strip(), scopes)


async def owner_on_this_machine(email: str = "") -> Actor:
    """For commands: the owner with this e-mail, or the first owner there is, in the first workspace that is theirs.

    Whoever can start this can read the database anyway. Raises NotFound when there is no such owner.
    """
    async with system_tx("command line") as tx:
        row = await tx.fetchrow(
            "select m.workspace_id, m.user_id, u.name, u.email, w.name as workspace_name from membership m"
            " join user_account u on u.id = m.user_id join workspace w on w.id = m.workspace_id"
            " where m.role = 'owner' and u.disabled_at is null and ($1 = '' or lower(u.email) = lower($1))"
            " order by m.created_at limit 1",
            email,
        )
    if row is None:
        whose = f"An owner with the e-mail {email}" if email else "An owner"
        raise NotFound(f"{whose} does not exist here.", remedy="Open the dashboard and do the set-up first.")
    return Actor(**row, role="owner")


async def create_key_on_this_machine(name: str, rights: str = "write", email: str = "") -> NewKey:
    """`agentbase key create`: a key of the owner with this e-mail, or of the first owner there is (else NotFound)."""
    if rights not in INCLUDED:
        raise Refused(f"There are no rights called {rights!r}.", remedy=f"Choose one of: {', '.join(INCLUDED)}.")
    owner = await owner_on_this_machine(email)
    return await _save(owner.workspace_id, owner.user_id, name.strip()[:100] or "Command line", INCLUDED[rights])


async def revoke_key(actor: Actor, key_id: UUID) -> None:
    """The key is dead at once in this process, within a second in others (app/web/bearer.py).

    Owners may revoke every key of the workspace, others their own.
    Raises NotFound for a key that one can't see, and for one that is already revoked.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        done = await tx.execute(
            "update api_key set revoked_at = now() where id = $1 and workspace_id = $2 and revoked_at is null"
            " and ($3 or user_id = $4)",
            key_id,
            actor.workspace_id,
            actor.is_owner,
            actor.user_id,
        )
    if done == "UPDATE 0":
        raise NotFound("This key does not exist any more.")
    bearer.forget(key_id)
    log.info("key revoked", by=str(actor.user_id), key_id=str(key_id))


async def _save(workspace_id: UUID, user_id: UUID, name: str, scopes: tuple[str, ...]) -> NewKey:
    secret = new_secret(PREFIX)
    row = ApiKey(
        workspace_id=workspace_id,
        user_id=user_id,
        name=name,
        prefix=secret[:10],
        digest=digest(secret),
        scopes=list(scopes),
    )
    async with tenant_tx(workspace_id):
        await row.save()
    log.info("key made", by=str(user_id), key_id=str(row.id))
    return NewKey(row.id, name, secret, scopes)
