"""Environments besides live: which version each runs, as a copy with its own references, and its own addresses."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:16:runs"

ENVIRONMENT = """
create table environment (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    name text not null,
    position integer not null default 0,
    created_at timestamptz not null default now(),
    constraint environment_name_ck check (name ~ '^[a-z0-9][a-z0-9-]{0,29}$' and name <> 'live')
);
create unique index environment_name_uq on environment (workspace_id, name);

create table environment_value (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    environment_id uuid not null references environment (id) on delete cascade,
    kind text not null,
    given text not null,
    instead text not null,
    constraint environment_value_kind_ck check (kind in ('text', 'connection', 'secret', 'model')),
    constraint environment_value_length_ck check (length(given) between 1 and 2000 and length(instead) <= 2000)
);
create unique index environment_value_uq on environment_value (environment_id, kind, given);
"""

STAGE = """
alter table flow_version drop constraint flow_version_kind_ck;
alter table flow_version add constraint flow_version_kind_ck check (kind in ('published', 'draft', 'staged'));
alter table flow_version add column environment_id uuid references environment (id) on delete set null;
create unique index flow_version_staged_uq on flow_version (flow_id, environment_id, number, content_hash) where kind = 'staged';

create table flow_stage (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    environment_id uuid not null references environment (id) on delete cascade,
    version_id uuid not null references flow_version (id) on delete cascade,
    staged_id uuid not null references flow_version (id) on delete cascade,
    before_id uuid references flow_version (id) on delete set null,
    by_user uuid,
    updated_at timestamptz not null default now()
);
create unique index flow_stage_uq on flow_stage (flow_id, environment_id);
create index flow_stage_environment_ix on flow_stage (workspace_id, environment_id);

create table stage_address (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    environment_id uuid not null references environment (id) on delete cascade,
    node_id text not null,
    token_hash bytea not null,
    enabled boolean not null default true
);
create unique index stage_address_token_uq on stage_address (token_hash);
create unique index stage_address_uq on stage_address (flow_id, environment_id, node_id);
create index stage_address_workspace_ix on stage_address (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "runs",
        ID,
        "environment, environment_value, flow_stage, stage_address",
        ENVIRONMENT,
        STAGE,
        *(tenant_table(name) for name in ("environment", "environment_value", "flow_stage", "stage_address")),
    )
