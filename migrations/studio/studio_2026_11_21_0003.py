"""Pins: outputs that tries of a draft take instead of calling the step."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:03:studio"

PIN = """
create table flow_pin (
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    node_id text not null,
    output jsonb not null,
    by_user uuid,
    at timestamptz not null default now(),
    primary key (flow_id, node_id),
    constraint flow_pin_node_ck check (length(node_id) between 1 and 64)
);
create index flow_pin_workspace_ix on flow_pin (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration("studio", ID, "flow_pin", PIN + tenant_table("studio.flow_pin"))
