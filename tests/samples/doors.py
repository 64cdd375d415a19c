"""Ids of things whose domains have no module of their own here: for trying every route with a foreign one."""

from uuid import UUID

import msgspec

from app.db import tenant_tx
from app.runs import service as runs
from app.sites.blocks import Text
from app.studio import service as studio
from app.web.actor import Actor
from tests.factories.runs import a_chain, a_version
from tests.factories.sites import a_site
from tests.factories.studio import a_flow


async def _flow(actor: Actor) -> UUID:
    flow_id = await a_flow(actor)
    await studio.publish(actor, flow_id, "First", "")
    return flow_id


async def _run(actor: Actor) -> UUID:
    _, _, version_id = await a_version(a_chain(3, start="start.api"), actor.workspace_id)
    return await runs.start(actor, version_id, {}, trigger="api")


async def _site(actor: Actor) -> UUID:
    async with tenant_tx(actor.workspace_id) as tx:
        found: UUID | None = await tx.fetchval("select id from site limit 1")
    return found or (await a_site(actor))[0].id


async def _page(actor: Actor) -> UUID:
    await _site(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        found: UUID = await tx.fetchval("select id from page limit 1")
    return found


IDS = {"flow_id": _flow, "run_id": _run, "site_id": _site, "page_id": _page}
BODIES = {"sites:new-block": {"kind": "text"}}
QUERIES = {
    "studio:changes": "?since=0",
    "sites:block-return": "?place=0&block=" + msgspec.json.encode(Text("t", "Hello")).hex(),
}
