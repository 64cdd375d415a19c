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
from app.runs import rollouts
from flows import catalogue
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

NEWEST = """
select id, content_hash from flow_version where flow_id = $1 and kind = 'published' order by number desc limit 1
"""
LIVE = """
select v.id, v.content_hash from flow_live l join flow_version v on v.id = l.version_id where l.flow_id = $1
"""

GO_LIVE = """
insert into flow_live (flow_id, workspace_id, version_id) values ($1, $2, $3)
on conflict (flow_id) do update set version_id = excluded.version_id, updated_at = now()
"""
LIVE_AT = "update flow_version set live_at = now() where id = $1 and live_at is null"

TRIGGER = """
insert into trigger (id, workspace_id, flow_id, node_id, kind, token_hash) values ($1, $2, $3, $4, $5, $6)
on conflict (flow_id, node_id, kind, environment_id) do update set enabled = true, planned = false
"""
GONE = """
update trigger t set enabled = false where flow_id = $1 and environment_id is null and enabled
   and not exists (
       select from unnest($2::text[], $3::text[]) as s (node, kind) where s.node = t.node_id and s.kind = t.kind)
"""
KINDS = frozenset({"webhook", "schedule", "event", "after", "email", "drop", "chat", "form", "api"})
"""Kinds of start steps that have a trigger row."""
WITH_ADDRESS = frozenset({"webhook", "email", "drop"})


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
    live_at: datetime | None = None


def document_of(text: str) -> Flow:
    return load_flow(text)


async def save(
    tx: Tx, workspace_id: UUID, flow_id: UUID, flow: Flow, name: str, by: UUID | None, notes: str, kind: str, live: bool
) -> UUID:
    """Store a snapshot. A draft equal to one stored before, and a publication equal to what is live, give that one.

    `live` False: a publication that does not run in public yet; one equal to the newest version gives that one.
    """
    digest = bytes.fromhex(content_hash(flow))
    if kind == "published":
        await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"publish {flow_id}")
        running = await tx.fetchrow(LIVE, flow_id)
        if running is not None and running["content_hash"] == digest:
            return UUID(str(running["id"]))
        if not live and (kept := await tx.fetchrow(NEWEST, flow_id)) is not None and kept["content_hash"] == digest:
            return UUID(str(kept["id"]))
    types = msgspec.json.encode({node.type: node.version for node in flow.nodes}).decode()
    document = dump_flow(flow).decode()
    made = await tx.fetchval(INSERT, workspace_id, flow_id, kind, name, notes, document, digest, types, by)
    if made is None:
        made = await tx.fetchval(
            "select id from flow_version where flow_id = $1 and content_hash = $2 and kind = 'draft'", flow_id, digest
        )
    if kind == "published" and live:
        await go_live(tx, workspace_id, flow_id, UUID(str(made)), flow)
    return UUID(str(made))


async def go_live(tx: Tx, workspace_id: UUID, flow_id: UUID, version_id: UUID, flow: Flow) -> None:
    """This version runs in public from now on, for everybody: a rollout that goes on is over."""
    await rollouts.end_rollout(tx, flow_id, "replaced")
    await tx.execute(GO_LIVE, flow_id, workspace_id, version_id)
    await tx.execute(LIVE_AT, version_id)
    await point_triggers(tx, workspace_id, flow_id, flow)


async def point_triggers(tx: Tx, workspace_id: UUID, flow_id: UUID, flow: Flow) -> None:
    """One row per start step. An address stays the same for ever; that of a step that is gone is switched off."""
    starts = starts_of(flow)
    await tx.execute(GONE, flow_id, [node for node, _ in starts], [kind for _, kind in starts])
    for node, kind in starts:
        trigger_id = UUID(str(await tx.fetchval("select uuidv7()")))
        proof = token_hash(token(trigger_id, 1, kind)) if kind in WITH_ADDRESS else None
        await tx.execute(TRIGGER, trigger_id, workspace_id, flow_id, node, kind, proof)


def starts_of(flow: Flow) -> list[tuple[str, str]]:
    """(step, kind) of the start steps that are not switched off in the flow itself."""
    kinds = catalogue.load()
    found = [(node.id, kinds[node.type].trigger) for node in flow.nodes if node.type in kinds and not node.disabled]
    return [(node, kind) for node, kind in found if kind in KINDS]


def token(trigger_id: UUID, round: int, kind: str = "webhook") -> str:
    """The secret part of an address: derived, so that it can be shown again and is not stored.

    43 characters; for mail 26 small letters and digits, because mail servers may fold the case of an address.
    `round` grows when somebody asks for a new address.
    """
    raw = hmac.digest(config.derive(kind), f"{trigger_id}:{round}".encode(), hashlib.sha256)
    if kind == "email":
        return base64.b32encode(raw[:16]).rstrip(b"=").decode().lower()
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
        row["live_at"],
    )
