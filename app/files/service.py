"""What people do with files of the workspace, and what a running step reads of them."""

from uuid import UUID

from app.db import Tx, tenant_tx
from app.errors import NotAllowed, NotFound, Refused
from app.files.kinds import media_type_of, signed_type_of
from app.web.actor import Actor
from flows.sdk import File
from flows.stored import hash_of

__all__ = ["content_of", "keep", "remove", "signed_type_of"]

MOST_BYTES = 16 * 1024 * 1024
"""Of one file."""
MOST_OF_WORKSPACE = 1024 * 1024 * 1024
MORE = 64 * 1024
"""Bytes that a form says around a file."""


async def keep(actor: Actor, name: str, content: bytes) -> File:
    """Keep a file; the same content again is the same file. Its type is what its first bytes, else its name, say.

    Raises NotAllowed, and Refused for a name that is none, an empty file, a file over 16 MB, a full workspace.
    """
    _editors_only(actor)
    name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip()[:200]
    if not name or name.strip(".") == "":
        raise Refused("A file needs a name, such as prices.csv.", field="file")
    if not content:
        raise Refused(f"The file “{name}” is empty.", remedy="Choose another one.", field="file")
    if len(content) > MOST_BYTES:
        raise Refused(
            f"The file “{name}” has {len(content) / 1_048_576:.1f} MB; at most 16 MB are kept.",
            remedy="Make it smaller, or have a step fetch it.",
            field="file",
            status=413,
        )
    file = File(hash_of(content), name, media_type_of(name, content), len(content))
    async with tenant_tx(actor.workspace_id) as tx:
        taken = await tx.fetchval("select coalesce(sum(size), 0) from workspace_file")
        if taken + file.size > MOST_OF_WORKSPACE:
            raise Refused(f"With “{name}” the files take more than 1 GB.", remedy="Remove some first.", field="file")
        await tx.execute(
            "insert into workspace_file (workspace_id, hash, name, media_type, size, content, created_by) "
            "values ($1, $2, $3, $4, $5, $6, $7) on conflict (workspace_id, hash) do nothing",
            actor.workspace_id,
            file.id,
            file.name,
            file.media_type,
            file.size,
            content,
            actor.user_id,
        )
    return file


async def remove(actor: Actor, file_id: UUID) -> None:
    """Forget a file. Steps that name it fail from now on, with the name. Raises NotFound."""
    _editors_only(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        if await tx.fetchval("delete from workspace_file where id = $1 returning 1", file_id) is None:
            raise NotFound("This file does not exist.")


async def content_of(tx: Tx, workspace_id: UUID, hash: str) -> bytes | None:
    """For a running step. None when the workspace has no such file, or not as it was."""
    found: bytes | None = await tx.fetchval(
        "select content from workspace_file where workspace_id = $1 and hash = $2", workspace_id, hash
    )
    return found if found is not None and hash_of(found) == hash else None


def _editors_only(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Files are up to the editors of this workspace.", remedy="Ask an owner to make you an editor.")
