"""The verbs of this domain, by noun. Other domains come in here: `from app.accounts import service`."""

from app.accounts.service.identities import connect, sign_in_outside
from app.accounts.service.keys import (
    NewKey,
    create_key,
    create_key_on_this_machine,
    owner_on_this_machine,
    revoke_key,
)
from app.accounts.service.members import Invited, accept_invite, change_role, invite, join, remove_member, revoke_invite
from app.accounts.service.profile import (
    change_password,
    end_other_sessions,
    end_session,
    rename_workspace,
    save_profile,
)
from app.accounts.service.setup import is_set_up, set_up, set_up_unattended, setup_code
from app.accounts.service.signin import SignedIn, sign_in, sign_out

__all__ = [
    "Invited",
    "NewKey",
    "SignedIn",
    "accept_invite",
    "change_password",
    "change_role",
    "connect",
    "create_key",
    "create_key_on_this_machine",
    "end_other_sessions",
    "end_session",
    "invite",
    "is_set_up",
    "join",
    "owner_on_this_machine",
    "remove_member",
    "rename_workspace",
    "revoke_invite",
    "revoke_key",
    "save_profile",
    "set_up",
    "set_up_unattended",
    "setup_code",
    "sign_in",
    "sign_in_outside",
    "sign_out",
]
