"""What the routes of workspace files are tried with."""

from uuid import UUID

from app.db import tenant_tx
from app.files import service
from app.web.actor import Actor

SAMPLES: dict[str, object] = {}


async def _file(actor: Actor) -> UUID:
    kept = await service.keep(actor, "prices.csv", b"plant,price\nfern,3\n")
    async with tenant_tx(actor.workspace_id) as tx:
        found: UUID = await tx.fetchval("select id from workspace_file where hash = $1", kept.id)
    return found


IDS = {"file_id": _file}
QUERIES = {"files:upload-here": "?name=a.txt", "api:file-keep": "?name=a.txt"}
