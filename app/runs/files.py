"""The `files` capability: what steps of a run write and read. A file belongs to the runs whose record holds it.

Files lie where large values lie (docs/flow-semantics.md, 104 and 105): of each workspace equal ones once, by their
hash, which is a file's id; they go with the last run that names them.
"""

import re
from uuid import UUID

from app.db import tenant_tx
from app.errors import NotFound
from app.files import service as workspace_files
from app.runs.values import GONE, Content
from app.web import Actor
from flows.ledger import postgres_values as verbs
from flows.sdk import File, NodeError
from flows.sdk.context import Context
from flows.stored import HASH, Lost, hash_of

MOST_BYTES = 32 * 1024 * 1024
"""Of one file."""
MOST_OF_RUN = 512 * 1024 * 1024
"""Of all files and large values of a run."""
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+_-]{0,100}( *; *[a-z0-9-]+=[^\s;,]{1,60})*", re.IGNORECASE)

SHOWN = ("image/", "audio/")
"""What a page shows in place; everything else is only downloaded. Drawings (SVG) and PDF may hold scripts."""


class RunFiles:
    """flows.sdk Files for one step."""

    def __init__(self, ctx: Context) -> None:
        self._run = UUID(ctx.run_id)
        self._workspace = UUID(ctx.workspace_id)

    async def read(self, file: File) -> bytes:
        """Its content. Raises NodeError for a file that this run does not have, and for one that is gone."""
        if file.text and not file.id:
            return file.text.encode()
        if not HASH.fullmatch(file.id):
            raise NodeError(f"The file '{file.name}' is not one that this run has. Hand it to the flow anew.")
        async with tenant_tx(self._workspace) as tx:
            kept = await workspace_files.content_of(tx, self._workspace, file.id)  # from the settings of a step
            if kept is not None:
                return kept
            try:
                return await verbs.fetch(tx, self._run, file.id)
            except Lost as lost:
                raise NodeError(f"The file '{file.name}' can't be read: {lost}. Hand it to the flow anew.") from None

    async def write(self, name: str, content: bytes, media_type: str) -> File:
        """Keep a file with this run. The same content again is the same file.

        Raises NodeError(field="name", "content", "media_type") for a name or type that is none, and for too much.
        """
        name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip()[:200]
        if not name or name in (".", ".."):
            raise NodeError("A file needs a name, such as report.pdf.", field="name")
        if not MEDIA_TYPE.fullmatch(media_type):
            raise NodeError(f"'{media_type[:80]}' is no media type, such as image/png.", field="media_type")
        if len(content) > MOST_BYTES:
            size = len(content) / 1_048_576
            raise NodeError(f"The file '{name}' has {size:.1f} MB; at most 32 MB are kept.", field="content")
        hash = hash_of(content)
        async with tenant_tx(self._workspace) as tx:
            if await verbs.taken(tx, self._run) + len(content) > MOST_OF_RUN:
                raise NodeError(f"The files of this run take more than 512 MB with '{name}'. Split the work.")
            await verbs.keep(tx, self._run, {hash: content}, self._workspace, looked=True)
        return File(hash, name, media_type, len(content))


def files_for(ctx: Context) -> RunFiles:
    return RunFiles(ctx)


async def file(actor: Actor, run_id: UUID, id: str) -> Content:
    """A file of a run. 1 statement. Raises NotFound, also for a file of another run.

    The media type is what its first bytes say, never what somebody wrote: nothing is served that could run.
    """
    if not HASH.fullmatch(id):
        raise NotFound(GONE)
    async with tenant_tx(actor.workspace_id) as tx:
        try:
            raw = await verbs.fetch(tx, run_id, id)
        except Lost as lost:
            raise NotFound(f"{GONE} ({lost})") from None
    type = workspace_files.signed_type_of(raw)
    shown = type.startswith(SHOWN)
    ending = type.rpartition("/")[2] if type != "application/octet-stream" else "bin"
    return Content(raw, type, f"file-{id[:12]}.{ending}", shown)
