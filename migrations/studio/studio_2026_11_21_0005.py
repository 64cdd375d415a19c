"""Breakpoints: steps before which a person's own tries of a draft pause."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:05:studio"

BREAK = """
create table flow_break (
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    user_id uuid not null,
    node_id text not null,
    rounds text not null default 'each',
    at timestamptz not null default now(),
    primary key (flow_id, user_id, node_id),
    constraint flow_break_node_ck check (length(node_id) between 1 and 64),
    constraint flow_break_rounds_ck check (rounds in ('each', 'first'))
);
create index flow_break_workspace_ix on flow_break (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration("studio", ID, "flow_break", BREAK + tenant_table("studio.flow_break"))
