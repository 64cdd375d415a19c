"""The first person. There is no default account: until this ran, nothing else works; afterwards it never runs again."""

import base64
from uuid import UUID

from app import config
from app.accounts import passwords
from app.accounts.forms import SetupForm
from app.accounts.service.signin import SignedIn
from app.accounts.sessions import Device, open_session
from app.db import Tx, system_tx
from app.errors import Conflict, Refused
from app.logs import logger
from app.web.signed import key_for

log = logger(__name__)
_LOCK = 0x5E7F1257


async def is_set_up() -> bool:
    """Whether somebody has an account."""
    async with system_tx("set-up") as tx:
        return bool(await tx.fetchval("select exists (select from user_account)"))


def setup_code() -> str:
    """What somebody must know to do the set-up from another machine. `agentbase up` and `web` print it while nobody
    has an account.

    It is derived from the instance's secret, so every process knows the same one and nothing is stored.
    """
    return base64.b32encode(key_for("setup-code")[:10]).decode().lower()


async def set_up(form: SetupForm, device: Device) -> SignedIn:
    """Make the workspace and its owner, and sign the owner in.

    Of two people who send the form at once one wins; raises Conflict for the other, and for anybody later.
    Raises Refused(field="password") for a password that others try first.
    """
    passwords.check(form.password, known=(form.email, form.site_name))
    if await is_set_up():
        raise _already()
    hashed = await passwords.make_hash(form.password)
    async with system_tx("set-up") as tx:
        user_id, workspace_id = await _first(tx, form.site_name.strip(), form.email.strip(), hashed)
        secret = await open_session(tx, user_id, workspace_id, device)
    log.info("set up", workspace_id=str(workspace_id))
    return SignedIn(secret, user_id, workspace_id)


async def set_up_unattended() -> bool:
    """The same from AGENTBASE_ADMIN_EMAIL, _PASSWORD and AGENTBASE_SITE_NAME, when a process starts. True when it
    was done now.

    Nothing happens when the variables are not there, or somebody already has an account.
    Raises SettingError for a password that we don't take: better no start than a weak door.
    """
    settings = config.settings()
    if not (settings.admin_email and settings.admin_password) or await is_set_up():
        return False
    name = settings.site_name or "My site"
    if not 10 <= len(settings.admin_password) <= 256:
        raise config.SettingError(
            "Setting AGENTBASE_ADMIN_PASSWORD is too short or too long. Expected 10 to 256 characters."
        )
    try:
        passwords.check(settings.admin_password, known=(settings.admin_email, name))
    except Refused as refused:
        raise config.SettingError(f"Setting AGENTBASE_ADMIN_PASSWORD: {refused}") from None
    hashed = await passwords.make_hash(settings.admin_password)
    try:
        async with system_tx("set-up") as tx:
            _, workspace_id = await _first(tx, name[:100], settings.admin_email, hashed)
    except Conflict:  # another process of ours was faster
        return False
    log.info("set up from the environment", workspace_id=str(workspace_id))
    return True


async def _first(tx: Tx, site_name: str, email: str, hashed: str) -> tuple[UUID, UUID]:
    await tx.execute("select pg_advisory_xact_lock($1)", _LOCK)
    if await tx.fetchval("select exists (select from user_account)"):
        raise _already()
    workspace_id: UUID = await tx.fetchval("insert into workspace (name) values ($1) returning id", site_name)
    user_id: UUID = await tx.fetchval(
        "insert into user_account (email, password_hash, last_sign_in_at) values ($1, $2, now()) returning id",
        email,
        hashed,
    )
    await tx.execute(
        "insert into membership (workspace_id, user_id, role) values ($1, $2, 'owner')", workspace_id, user_id
    )
    return user_id, workspace_id


def _already() -> Conflict:
    return Conflict("This site already belongs to somebody.", remedy="Sign in, or ask its owner for an invitation.")
