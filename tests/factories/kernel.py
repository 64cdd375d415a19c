"""The least a row of any tenant table needs."""

from uuid import UUID, uuid4

from app.db import system_tx


async def a_workspace(name: str = "") -> UUID:
    """A workspace without people, for tests of what lies under them."""
    workspace_id = uuid4()
    async with system_tx("factory") as tx:
        await tx.execute("insert into workspace (id, name) values ($1, $2)", workspace_id, name or f"W {workspace_id}")
    return workspace_id
