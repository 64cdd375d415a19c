"""The versions of a flow: frozen, live in public, taken down and brought back, and the addresses they have."""

from uuid import UUID

from app.db import Tx, tenant_tx
from app.errors import NotFound
from app.runs import running, versions
from app.runs.rollouts import end_rollout
from app.runs.running import host
from app.runs.stages import staged_version
from app.runs.versions import VersionView
from app.web import Actor
from flows.model import Flow


async def save_version(
    tx: Tx,
    workspace_id: UUID,
    flow_id: UUID,
    document: Flow,
    name: str,
    by: UUID | None,
    *,
    notes: str = "",
    kind: str = "published",
    live: bool = True,
) -> UUID:
    """Freeze a flow. `published` makes it live (unless `live` is false) and sets its addresses; `draft` is for a try in
    the editor.

    The same content gives the same version: of what is live, or of an earlier draft.
    """
    return await versions.save(tx, workspace_id, flow_id, document, name, by, notes, kind, live)


async def version(tx: Tx, version_id: UUID) -> VersionView | None:
    """A version inside a transaction of its workspace."""
    row = await tx.fetchrow("select v.*, '' as by from flow_version v where v.id = $1", version_id)
    return versions.view(row) if row else None


async def live_version(workspace_id: UUID, flow_id: UUID, key: str = "") -> UUID | None:
    """What runs in public, None when the flow is not published.

    `key`: the visitor, API key or conversation it is for. While a new version is rolled out, part of them get that one.
    """
    async with tenant_tx(workspace_id) as tx:
        found = await tx.fetchval("select version_id from flow_live where flow_id = $1", flow_id)
    if found is None:
        return None
    return await for_key(flow_id, UUID(str(found)), key) if key else UUID(str(found))


async def staged_in(actor: Actor, flow_id: UUID, environment: str) -> UUID:
    """What an environment runs of a flow. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        return await staged_version(tx, flow_id, environment)


async def for_key(flow_id: UUID, live: UUID, key: str) -> UUID:
    await host().rollouts.look()
    return host().rollouts.pick(flow_id, live, key)


def rollouts_changed() -> None:
    """This process decides anew from the next request on; others within a second."""
    if running._host:
        host().rollouts.forget()


def variables_changed() -> None:
    """This process takes the new ones from the next run on; others within a second."""
    if running._host:
        host().variables.forget()


async def take_down(tx: Tx, flow_id: UUID) -> bool:
    """Nothing runs in public any more: the flow was archived. Its webhook addresses answer 404. Whether it was live."""
    await end_rollout(tx, flow_id, "replaced")
    await tx.execute("delete from flow_stage where flow_id = $1", flow_id)
    gone = await tx.execute("delete from flow_live where flow_id = $1", flow_id)
    await tx.execute("update trigger set enabled = false where flow_id = $1", flow_id)
    return bool(gone != "DELETE 0")


async def bring_back(tx: Tx, workspace_id: UUID, flow_id: UUID, version_id: UUID) -> None:
    """The opposite: this version runs in public again, under the same addresses. Raises NotFound."""
    row = await tx.fetchrow("select * from flow_version where id = $1 and flow_id = $2", version_id, flow_id)
    if row is None:
        raise NotFound("This version of the flow does not exist.")
    await versions.go_live(tx, workspace_id, flow_id, version_id, versions.document_of(row["document"]))


def address_token(trigger_id: UUID, round: int, kind: str) -> str:
    """The secret part of a trigger's address."""
    return versions.token(trigger_id, round, kind)


def address_proof(trigger_id: UUID, round: int, kind: str) -> bytes:
    """What is stored of it."""
    return versions.token_hash(versions.token(trigger_id, round, kind))
