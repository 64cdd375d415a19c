"""A connection's key on a request that a step sends by itself.

The key goes to the connection's own server and nowhere else: an address that a model or a visitor made up must not be
able to fetch it. Redirects to other servers lose it (app/egress).
"""

from typing import Any
from uuid import UUID

from yarl import URL

from app.config import Secret
from app.db import tenant_tx
from app.errors import NotFound, Refused
from app.gateway import keys
from app.gateway.providers import PROVIDERS

BEARER = "Authorization"
OWN_HEADERS = {"anthropic": "x-api-key", "azure": "api-key", "gemini": "x-goog-api-key"}
"""Providers that want the key in a header of their own, without the word Bearer."""
SERVERS = {
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
}
"""Where providers are that have no address in our list, because another library calls them."""


async def signed(workspace_id: UUID, connection: str, url: str) -> dict[str, str]:
    """The headers that sign a request to `url`. {} for a connection that needs no key.

    Raises NotFound for a connection that is not there (any more), Refused(field="url") for another server than its own,
    and for a key that can't be opened.
    """
    row, key = await _opened(workspace_id, connection)
    provider = PROVIDERS.get(row["provider"])
    home = row["base_url"] or (provider.base_url if provider is not None else "") or SERVERS.get(row["provider"], "")
    if not home or URL(home).origin() != URL(url).origin():
        where = URL(home).origin() if home else "a server that we don't know"
        raise Refused(
            f"The key of '{row['name']}' is sent to {where} only, not to {URL(url).host}.",
            remedy="Choose a connection of that server, or none.",
            field="url",
        )
    if not key:
        return {}
    own = OWN_HEADERS.get(row["provider"])
    return {own: str(key)} if own else {BEARER: f"Bearer {key}"}


async def secret_of(workspace_id: UUID, connection: str) -> Secret:
    """The key of a connection, for checking what another program signed with it; "" for one without a key.

    Raises NotFound, and Refused for a key that can't be opened.
    """
    return (await _opened(workspace_id, connection))[1]


async def _opened(workspace_id: UUID, connection: str) -> tuple[Any, Secret]:
    try:
        connection_id = UUID(connection)
    except ValueError:
        raise NotFound("This connection does not exist any more.", remedy="Choose another one.") from None
    async with tenant_tx(workspace_id) as tx:
        row = await tx.fetchrow(
            """select id, name, provider, base_url, key_sealed from connection
               where id = $1 and removed_at is null""",
            connection_id,
        )
        if row is None:
            raise NotFound("This connection does not exist any more.", remedy="Choose another one.")
        key = await keys.open_key(tx, workspace_id, connection_id, row["key_sealed"])
    if key is None:
        raise Refused(f"The key of '{row['name']}' can't be opened.", remedy="Enter it again under Connections.")
    return row, key
