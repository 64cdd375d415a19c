"""Acting for a person who is not there: what was asked for once, done later by a background job."""

from uuid import UUID

from app.db import system_tx
from app.errors import NotFound
from app.web.actor import Actor


async def acting_for(workspace_id: UUID, user_id: UUID | None) -> Actor:
    """The person as a member of this workspace, with the role they have now.

    Raises NotFound when they are not there any more or may not enter.
    """
    async with system_tx("act for a member") as tx:
        row = await tx.fetchrow(
            "select m.workspace_id, m.user_id, m.role, u.name, u.email, w.name as workspace_name from membership m"
            " join user_account u on u.id = m.user_id join workspace w on w.id = m.workspace_id"
            " where m.workspace_id = $1 and m.user_id = $2 and u.disabled_at is null",
            workspace_id,
            user_id,
        )
    if row is None:
        raise NotFound("Who set this up is not in the workspace any more.", remedy="Set it up again.")
    return Actor(**row)
