"""Who may do what here. Pure."""

from app.errors import NotAllowed
from app.web.actor import Actor

IDLE = 3 * 24 * 3600
"""Seconds without a request after which a session ends."""

_RIGHTS = {
    "owner": frozenset({"read", "run", "write", "admin"}),
    "editor": frozenset({"read", "run", "write"}),
    "viewer": frozenset({"read"}),
}


def rights_of(role: str) -> frozenset[str]:
    """What a key of somebody with this role may have at most."""
    return _RIGHTS.get(role, frozenset())


def must_be_owner(actor: Actor) -> None:
    """Raises NotAllowed."""
    if not actor.is_owner:
        raise NotAllowed("People and invitations are up to the owners.", remedy="Ask an owner of this workspace.")
