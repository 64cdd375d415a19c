"""What a page about secrets shows: never a value."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.web.actor import Actor


class SecretView(Struct, frozen=True):
    """`hint`: the last four characters of the value, or "" when it is short. `hosts`: where it may go; "" = any."""

    id: UUID
    name: str
    hint: str
    hosts: str
    updated_at: datetime


async def secrets(actor: Actor) -> list[SecretView]:
    """All secrets of the workspace by name. One statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch("select id, name, hint, hosts, updated_at from secret order by lower(name)")
    return [SecretView(**row) for row in rows]
