"""Secrets by which signed webhook calls are checked."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:02:triggers"

SQL = """
-- `until`: a secret that was replaced still counts up to then, so that the sender can be changed without a gap.
create table trigger_secret (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    trigger_id uuid not null references trigger (id) on delete cascade,
    sealed bytea not null,
    hint text not null default '' check (length(hint) <= 4),
    until timestamptz,
    made_at timestamptz not null default clock_timestamp()
);
create unique index trigger_secret_current_uq on trigger_secret (trigger_id) where until is null;
create index trigger_secret_trigger_ix on trigger_secret (trigger_id);
create index trigger_secret_workspace_ix on trigger_secret (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration("triggers", ID, "Secrets of webhooks.", SQL, tenant_table("triggers.trigger_secret"))
