"""The keys of connections: sealed by app.vault in the database, open only in the memory of whoever calls."""

from uuid import UUID

from app.config import Secret
from app.db import Tx
from app.vault import service as vault


async def seal_key(tx: Tx, workspace_id: UUID, connection_id: UUID, key: str) -> bytes | None:
    """None for no key."""
    return await vault.seal(tx, _place(workspace_id, connection_id), key) if key else None


async def open_key(tx: Tx, workspace_id: UUID, connection_id: UUID, sealed: bytes | None) -> Secret | None:
    """Empty when there is no key, None when there is one that can't be opened: the instance's secret was lost."""
    if sealed is None:
        return Secret("")
    try:
        return await vault.unseal(tx, _place(workspace_id, connection_id), sealed)
    except vault.CannotOpen:
        return None


def _place(workspace_id: UUID, connection_id: UUID) -> vault.Place:
    return vault.Place(workspace_id, "connection", "key_sealed", str(connection_id))
