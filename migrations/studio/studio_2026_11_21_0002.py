"""The shelf: how people keep their flows in order. Folders and tags are the workspace's, stars are each person's own."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:02:studio"

FOLDER = """
create table folder (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    name text not null,
    created_at timestamptz not null default now(),
    constraint folder_name_ck check (length(name) between 1 and 60)
);
create unique index folder_name_uq on folder (workspace_id, lower(name));
"""

ON_THE_FLOW = """
alter table flow add column folder_id uuid references folder (id) on delete set null;
alter table flow add column tags text[] not null default '{}';
create index flow_folder_ix on flow (folder_id) where folder_id is not null;
"""

STAR = """
create table flow_star (
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    user_id uuid not null,
    at timestamptz not null default now(),
    primary key (flow_id, user_id)
);
create index flow_star_workspace_ix on flow_star (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "studio",
        ID,
        "folder, flow.folder_id, flow.tags, flow_star",
        FOLDER + tenant_table("studio.folder"),
        ON_THE_FLOW,
        STAR + tenant_table("studio.flow_star", app="select, insert, delete"),
    )
