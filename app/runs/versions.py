"""Versions of flows: immutable snapshots, which of them is live, and the addresses that start them."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import config
from app.db import Tx
from flows.document import content_hash, dump_flow, load_flow
from flows.model import Flow

INSERT = """
insert into flow_version (workspace_id, flow_id, number, kind, name, notes, document, content_hash, node_versions,
created_by) values ($1, $2, case when $3 = 'published' then
            1 + (select coalesce(max(number), 0) from flow_version where flow_id = $2 and kind = 'published') else 0
            end,
        $3, $4, $5, $6::jsonb, $7, $8::jsonb, $9)
on conflict (flow_id, content_hash) where kind = 'draft' do nothing
returning id
"""

LIVE = """
select v.id, v.content_hash from flow_live l join flow_version v on v.id = l.version_id where l.flow_id = $1
"""

GO_LIVE = """
insert into flow_live (flow_id, workspace_id, version_id) values ($1, $2, $3)
on conflict (flow_id) do update set version_id = excluded.version_id, updated_at = now()
"""

TRIGGER = """
insert into trigger (id, workspace_id, flow_id, node_id, kind, token_hash) values ($1, $2, $3, $4, 'webhook', $5)
on conflict (flow_id, node_id, kind) do update set enabled = true
"""


class VersionView(Struct, frozen=True):
    id: UUID
    flow_id: UUID
    number: int
    name: str
    notes: str
    created_at: datetime
    by: str
    document: Flow
    kind: str = "published"


def document_of(text: str) -> Flow:
    return load_flow(text)


async def save(
    tx: Tx, workspace_id: UUID, flow_id: UUID, flow: Flow, name: str, by: UUID | None, notes: str, kind: str
) -> UUID:
    """Store a snapshot. A draft equal to one stored before, and a publication equal to what is live, give that one."""
    digest = bytes.fromhex(content_hash(flow))
    if kind == "published":
        await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"publish {flow_id}")
        live = await tx.fetchrow(LIVE, flow_id)
        if live is not None and live["content_hash"] == digest:
            return UUID(str(live["id"]))
    types = msgspec.json.encode({node.type: node.version for node in flow.nodes}).decode()
    document = dump_flow(flow).decode()
    made = await tx.fetchval(INSERT, workspace_id, flow_id, kind, name, notes, document, digest, types, by)
    if made is None:
        made = await tx.fetchval(
            "select id from flow_version where flow_id = $1 and content_hash = $2 and kind = 'draft'", flow_id, digest
        )
    if kind == "published":
        await tx.execute(GO_LIVE, flow_id, workspace_id, made)
        await point_triggers(tx, workspace_id, flow_id, flow)
    return UUID(str(made))


async def point_triggers(tx: Tx, workspace_id: UUID, flow_id: UUID, flow: Flow) -> None:
    """One address per webhook step. An address stays the same for ever; that of a step that is gone is switched off."""
    nodes = [node.id for node in flow.nodes if node.type == "start.webhook" and not node.disabled]
    await tx.execute(
        "update trigger set enabled = false where flow_id = $1 and kind = 'webhook' and not node_id = any ($2)",
        flow_id,
        nodes,
    )
    for node in nodes:
        trigger_id = UUID(str(await tx.fetchval("select uuidv7()")))
        await tx.execute(TRIGGER, trigger_id, workspace_id, flow_id, node, token_hash(token(trigger_id, 1)))


def token(trigger_id: UUID, round: int) -> str:
    """The secret part of a webhook's address: 43 characters, derived, so that it can be shown again and is not stored.

    `round` grows when somebody asks for a new address.
    """
    raw = hmac.digest(config.derive("webhook"), f"{trigger_id}:{round}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def view(row: Any) -> VersionView:
    return VersionView(
        row["id"],
        row["flow_id"],
        row["number"],
        row["name"],
        row["notes"],
        row["created_at"],
        row["by"] or "",
        document_of(row["document"]),
        row["kind"],
    )
