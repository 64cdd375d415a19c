"""What pages show of files."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotFound
from app.files.kinds import SHOWN
from app.web.actor import Actor
from flows.sdk import File

MOST_LISTED = 500


class FileView(Struct, frozen=True):
    """`hash`: how settings name it."""

    id: UUID
    hash: str
    name: str
    media_type: str
    size: int
    created_at: datetime

    @property
    def file(self) -> File:
        return File(self.hash, self.name, self.media_type, self.size)

    @property
    def shown(self) -> bool:
        return self.media_type in SHOWN


async def files(actor: Actor) -> list[FileView]:
    """The newest first, 500 at most. One statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows = await tx.fetch(
            "select id, hash, name, media_type, size, created_at from workspace_file order by created_at desc limit $1",
            MOST_LISTED,
        )
    return [FileView(**row) for row in rows]


async def content(actor: Actor, hash: str) -> tuple[FileView, bytes]:
    """One statement. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow(
            "select id, hash, name, media_type, size, created_at, content from workspace_file where hash = $1", hash
        )
    if row is None:
        raise NotFound("This file does not exist.")
    values = dict(row)
    body = values.pop("content")
    return FileView(**values), bytes(body)
