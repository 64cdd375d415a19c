"""Links that show one flow to whoever has them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:08:studio"

SHARE = """
create table flow_share (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    version_id uuid references flow_version (id) on delete cascade,
    token_hash bytea not null,
    created_by uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
comment on column flow_share.version_id is 'what the link shows; null: the draft, as it is when somebody looks';
create unique index flow_share_token_uq on flow_share (token_hash);
create index flow_share_flow_ix on flow_share (flow_id, created_at desc);
create index flow_share_workspace_ix on flow_share (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "studio", ID, "flow_share", SHARE + tenant_table("studio.flow_share", app="select, insert, update")
    )
