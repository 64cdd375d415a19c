# ruff: noqa: E501 -- SQL keeps its own shape
"""Environments besides live: which version of a flow each one runs, and the addresses that start it there.

A version is put on an environment as a copy ("staged") with the environment's references in place; a run is pinned to
that copy. Its webhooks have addresses there at once; schedules, mail, files and whatever else starts by itself are off
until somebody switches them on for this environment. Sites know only what is live.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import Tx
from app.errors import NotFound
from app.runs import versions
from app.runs.binding import Instead, bound
from flows import catalogue
from flows.document import content_hash, dump_flow

STAGED = """
insert into flow_version (workspace_id, flow_id, number, kind, name, notes, document, content_hash, node_versions, created_by, environment_id)
values ($1, $2, $3, 'staged', $4, '', $5::jsonb, $6, $7::jsonb, $8, $9)
on conflict (flow_id, environment_id, number, content_hash) where kind = 'staged' do nothing returning id
"""
POINT = """
insert into flow_stage (workspace_id, flow_id, environment_id, version_id, staged_id, by_user) values ($1, $2, $3, $4, $5, $6)
on conflict (flow_id, environment_id) do update
   set version_id = excluded.version_id, staged_id = excluded.staged_id, by_user = excluded.by_user, updated_at = now(),
       before_id = case when flow_stage.version_id = excluded.version_id then flow_stage.before_id else flow_stage.version_id end
"""
ADDRESS = """
insert into stage_address (id, workspace_id, flow_id, environment_id, node_id, token_hash) values ($1, $2, $3, $4, $5, $6)
on conflict (flow_id, environment_id, node_id) do update set enabled = true
"""
TRIGGER = """
insert into trigger (id, workspace_id, flow_id, node_id, kind, token_hash, environment_id, paused)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (flow_id, node_id, kind, environment_id) do update set enabled = true, planned = false
"""
GONE = """
update trigger t set enabled = false where flow_id = $1 and environment_id = $2 and enabled
   and not exists (
       select from unnest($3::text[], $4::text[]) as s (node, kind) where s.node = t.node_id and s.kind = t.kind)
"""
KINDS = frozenset({"webhook", "schedule", "event", "after", "email", "drop"})
"""Start steps that have a trigger in an environment. Chats and forms stand on the site, and API calls name theirs."""
PURPOSE = "stage"
LOOK_UP = """
select a.id, a.workspace_id, a.flow_id, a.node_id, s.staged_id as version_id, a.environment_id,
       case when exists (select from trigger_secret x where x.trigger_id = a.id and x.until is null) then a.id else coalesce(
           (select t.id from trigger t where (t.flow_id, t.node_id, t.kind) = (a.flow_id, a.node_id, 'webhook') and t.environment_id is null),
           a.id) end as guard, coalesce(own.paced, false) as paced,
       (select count(*) from stage_address o where (o.flow_id, o.environment_id) = (a.flow_id, a.environment_id) and o.enabled) as alike
  from stage_address a join flow_stage s on (s.flow_id, s.environment_id) = (a.flow_id, a.environment_id)
  left join trigger own on own.id = a.id
 where a.token_hash = $1 and a.enabled and not coalesce(own.paused, false)
"""


class Stage(Struct, frozen=True):
    """What one environment runs of a flow. `number` None = nothing. `before`: the version it ran before.

    `hooks`: (step, path) of its webhooks; a path goes behind the dashboard's address.
    """

    environment_id: UUID
    name: str
    version_id: UUID | None
    number: int | None
    before_id: UUID | None
    before: int | None
    updated_at: datetime | None
    by: str
    hooks: list[tuple[str, str]]


async def values_of(tx: Tx, environment_id: UUID) -> list[Instead]:
    rows = await tx.fetch(
        "select kind, given, instead from environment_value where environment_id = $1", environment_id
    )
    return [Instead(row["kind"], row["given"], row["instead"]) for row in rows]


async def put_on_stage(
    tx: Tx, workspace_id: UUID, flow_id: UUID, environment_id: UUID, version: Any, by: UUID | None
) -> UUID:
    """Run a published version (a VersionView) in an environment. Returns the id of the copy that runs there."""
    values, kinds = await values_of(tx, environment_id), catalogue.load()
    flow = bound(version.document, values, kinds)
    digest = bytes.fromhex(content_hash(flow))
    types = msgspec.json.encode({node.type: node.version for node in flow.nodes}).decode()
    staged = await tx.fetchval(
        STAGED, workspace_id, flow_id, version.number, version.name, dump_flow(flow).decode(), digest, types, by, environment_id
    ) or await tx.fetchval(
        "select id from flow_version where kind = 'staged' and (flow_id, environment_id, number, content_hash) = ($1, $2, $3, $4)",
        flow_id, environment_id, version.number, digest,
    )  # fmt: skip
    await tx.execute(POINT, workspace_id, flow_id, environment_id, version.id, staged, by)
    starts = [(node, kind) for node, kind in versions.starts_of(flow) if kind in KINDS]
    await tx.execute(GONE, flow_id, environment_id, [node for node, _ in starts], [kind for _, kind in starts])
    nodes = [node for node, kind in starts if kind == "webhook"]
    await tx.execute(
        "update stage_address set enabled = false where flow_id = $1 and environment_id = $2 and node_id <> all ($3)",
        flow_id, environment_id, nodes,
    )  # fmt: skip
    for node in nodes:
        ident = UUID(str(await tx.fetchval("select uuidv7()")))
        proof = versions.token_hash(versions.token(ident, 1, PURPOSE))
        await tx.execute(ADDRESS, ident, workspace_id, flow_id, environment_id, node, proof)
    for node, kind in starts:
        await _trigger(tx, workspace_id, flow_id, environment_id, node, kind)
    return UUID(str(staged))


async def _trigger(tx: Tx, workspace_id: UUID, flow_id: UUID, environment_id: UUID, node: str, kind: str) -> None:
    """Its row: of a webhook on, under the id of its address, of everything else off until somebody switches it on."""
    proof, id_of = None, "select uuidv7()"
    if kind == "webhook":
        id_of = "select id from stage_address where flow_id = $1 and environment_id = $2 and node_id = $3"
        ident = UUID(str(await tx.fetchval(id_of, flow_id, environment_id, node)))
    else:
        ident = UUID(str(await tx.fetchval(id_of)))
        proof = versions.token_hash(versions.token(ident, 1, kind)) if kind in versions.WITH_ADDRESS else None
    await tx.execute(TRIGGER, ident, workspace_id, flow_id, node, kind, proof, environment_id, kind != "webhook")


def stage_token(address_id: UUID) -> str:
    """The secret part of a webhook's address in an environment."""
    return versions.token(address_id, 1, PURPOSE)


async def clear_stage(tx: Tx, flow_id: UUID, environment_id: UUID) -> bool:
    """Nothing of this flow runs in this environment any more; its addresses answer 404. Whether something did."""
    done = await tx.execute(
        "delete from flow_stage where flow_id = $1 and environment_id = $2", flow_id, environment_id
    )
    await tx.execute(
        "update trigger set enabled = false where flow_id = $1 and environment_id = $2", flow_id, environment_id
    )
    return bool(done != "DELETE 0")


async def stages_of(tx: Tx, flow_id: UUID) -> list[Stage]:
    """Every environment of the workspace besides live, in their order. 2 statements."""
    rows = await tx.fetch(
        """select e.id, e.name, s.version_id, v.number, s.before_id, b.number as before, s.updated_at, coalesce(nullif(u.name, ''), u.email, '') as by
             from environment e left join flow_stage s on s.environment_id = e.id and s.flow_id = $1
             left join flow_version v on v.id = s.version_id left join flow_version b on b.id = s.before_id
             left join user_account u on u.id = s.by_user order by e.position, e.name""",
        flow_id,
    )
    hooks = await tx.fetch(
        "select id, environment_id, node_id from stage_address where flow_id = $1 and enabled order by node_id", flow_id
    )
    return [
        Stage(
            row["id"], row["name"], row["version_id"], row["number"], row["before_id"], row["before"], row["updated_at"], row["by"],
            [
                (hook["node_id"], f"/hooks/{versions.token(hook['id'], 1, PURPOSE)}")
                for hook in hooks
                if hook["environment_id"] == row["id"] and row["version_id"] is not None
            ],
        )
        for row in rows
    ]  # fmt: skip


async def staged_version(tx: Tx, flow_id: UUID, environment: str) -> UUID:
    """What an environment runs of a flow, by its name. Raises NotFound."""
    found: UUID | None = await tx.fetchval(
        """select s.staged_id from flow_stage s join environment e on e.id = s.environment_id
            where s.flow_id = $1 and e.name = $2""",
        flow_id,
        environment,
    )
    if found is None:
        raise NotFound(
            f"Nothing of this flow runs in {environment!r}.", remedy="Put a version there on the page of versions."
        )
    return found


async def flows_on(tx: Tx, environment_id: UUID) -> list[tuple[UUID, UUID]]:
    """(flow, version) of everything that runs there."""
    rows = await tx.fetch("select flow_id, version_id from flow_stage where environment_id = $1", environment_id)
    return [(row["flow_id"], row["version_id"]) for row in rows]
