"""What people change about themselves: name, look, password, the browsers they are signed in with."""

from uuid import UUID

from app.accounts import limits, passwords
from app.accounts.forms import PasswordForm, ProfileForm, WorkspaceForm
from app.accounts.sessions import Device, open_session
from app.accounts.tables import Workspace
from app.db import system_tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.language.catalogue import languages
from app.web.actor import Actor


async def save_profile(actor: Actor, form: ProfileForm) -> None:
    """Name, colours, density and language of the person who asks. Raises Refused(field="language") for one we lack."""
    if form.language and form.language not in languages():
        raise Refused("We do not speak this language yet.", remedy="Choose one of the list.", field="language")
    async with system_tx("profile") as tx:
        await tx.execute(
            "update user_account set name = $2, theme = $3, density = $4, language = $5 where id = $1",
            actor.user_id,
            form.name.strip(),
            form.theme,
            form.density,
            form.language,
        )


async def change_password(actor: Actor, form: PasswordForm, device: Device) -> str:
    """A new password. Every session of this person ends, the asking one too: the returned secret is its new one.

    Raises Refused(field="current") when the present password is wrong, and Refused(field="password") for a weak new
    one.
    A person without a password (in by Google or GitHub) gives none. An API key can't do this.
    """
    if actor.session_id is None:
        raise NotAllowed("A password is changed in the browser, not with a key.")
    await limits.by_account("password", str(actor.user_id))
    async with system_tx("password") as tx:
        stored: str = await tx.fetchval("select password_hash from user_account where id = $1", actor.user_id)
    if stored and not await passwords.matches(form.current, stored):
        raise Refused("This is not your present password.", remedy="Check it and try again.", field="current")
    passwords.check(form.password, known=(actor.email, actor.name, actor.workspace_name))
    hashed = await passwords.make_hash(form.password)
    async with system_tx("password") as tx:
        await tx.execute("update user_account set password_hash = $2 where id = $1", actor.user_id, hashed)
        await tx.execute("delete from session where user_id = $1", actor.user_id)
        return await open_session(tx, actor.user_id, actor.workspace_id, device)


async def end_session(actor: Actor, session_id: UUID) -> None:
    """Sign another browser of this person out. Raises NotFound for a session of somebody else, as for an unknown
    one.
    """
    async with system_tx("devices") as tx:
        done = await tx.execute("delete from session where id = $1 and user_id = $2", session_id, actor.user_id)
    if done == "DELETE 0":
        raise NotFound("This device is not signed in any more.")


async def end_other_sessions(actor: Actor) -> int:
    """Sign every browser of this person out but the asking one. Returns how many."""
    async with system_tx("devices") as tx:
        done = await tx.execute(
            "delete from session where user_id = $1 and id is distinct from $2", actor.user_id, actor.session_id
        )
    return int(done.rpartition(" ")[2])


async def rename_workspace(actor: Actor, form: WorkspaceForm) -> None:
    """Raises NotAllowed for everybody but owners."""
    if not actor.is_owner:
        raise NotAllowed("The name is up to the owners of this workspace.", remedy="Ask an owner.")
    async with tenant_tx(actor.workspace_id):
        await Workspace.update({Workspace.name: form.name.strip()}).where(Workspace.id == actor.workspace_id)
