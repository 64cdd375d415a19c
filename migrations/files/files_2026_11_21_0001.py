"""Files that people put into the settings of steps."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:files"

FILE = """
create table workspace_file (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    hash text not null check (length(hash) = 64),
    name text not null check (length(name) between 1 and 200),
    media_type text not null check (length(media_type) <= 120),
    size bigint not null check (size >= 0),
    content bytea not null,
    created_by uuid,
    created_at timestamptz not null default now()
);
create unique index workspace_file_hash_uq on workspace_file (workspace_id, hash);
"""


async def forwards() -> MigrationManager:
    grants = tenant_table("files.workspace_file", app="select, insert, delete", site="select")
    return migration("files", ID, "workspace_file", FILE, grants)
