"""Flows being edited, and every edit with what undoes it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:01:studio"

FLOW = """
create table flow (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    name text not null,
    description text not null default '',
    document jsonb not null,
    rev integer not null default 0,
    step_count integer not null default 0,
    live_version_id uuid references flow_version (id) on delete set null,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    archived_at timestamptz,
    constraint flow_rev_ck check (rev >= 0)
);
create index flow_workspace_ix on flow (workspace_id, updated_at desc) where archived_at is null;
"""

OPS = """
create table flow_op (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    rev integer not null,
    batch text not null,
    client text not null,
    user_id uuid,
    kind text not null,
    undoes uuid references flow_op (id) on delete cascade,
    ops jsonb not null,
    inverse jsonb not null,
    at timestamptz not null default now(),
    constraint flow_op_kind_ck check (kind in ('edit', 'undo', 'redo')),
    constraint flow_op_undoes_ck check ((kind = 'edit') = (undoes is null)),
    constraint flow_op_rev_uq unique (flow_id, rev),
    constraint flow_op_batch_uq unique (flow_id, batch)
);
create index flow_op_user_ix on flow_op (flow_id, user_id, rev desc);
create unique index flow_op_undoes_uq on flow_op (undoes) where undoes is not null;
create index flow_op_workspace_ix on flow_op (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "studio",
        ID,
        "flow, flow_op",
        FLOW + tenant_table("studio.flow"),
        # Append-only: the history of edits is never rewritten, only forgotten together with its flow.
        OPS + tenant_table("studio.flow_op", app="select, insert"),
    )
