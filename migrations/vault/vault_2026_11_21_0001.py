"""Data keys of workspaces, and the secrets people keep for their flows."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:vault"

KEYS = """
-- A workspace's key, wrapped by a key-encryption key that is never in the database. Deleting the row makes everything
-- sealed with it unreadable for ever, in backups too that are restored without it.
create table data_key (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    kek_id text not null check (length(kek_id) between 8 and 100),
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
create unique index data_key_active_uq on data_key (workspace_id) where retired_at is null;
create index data_key_kek_ix on data_key (kek_id);
"""

SECRETS = """
create table secret (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    name text not null check (length(name) between 1 and 100),
    sealed bytea not null,
    hint text not null default '' check (length(hint) <= 4),
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index secret_name_uq on secret (workspace_id, lower(name));
"""


async def forwards() -> MigrationManager:
    return migration(
        "vault",
        ID,
        "Data keys and secrets.",
        KEYS,
        tenant_table("vault.data_key", app="select, insert", site="select"),
        SECRETS,
        tenant_table("vault.secret", site="select (id, workspace_id, name, sealed)"),
    )
