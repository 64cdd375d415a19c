"""Who is signed in while Chromium drives the product."""

from app.db import system_tx
from app.web import Actor
from tests.browser.live import EMAIL


async def owner() -> Actor:
    """Mara, who owns the workspace of `live`."""
    async with system_tx("test") as tx:
        row = await tx.fetchrow(
            "select u.id, u.name, m.workspace_id from user_account u join membership m on m.user_id = u.id "
            "where u.email = $1",
            EMAIL,
        )
    return Actor(user_id=row["id"], workspace_id=row["workspace_id"], role="owner", name=row["name"], email=EMAIL)
