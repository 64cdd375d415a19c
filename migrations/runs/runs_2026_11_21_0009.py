"""Large values of steps: stored once for each workspace, in pieces, and named by the runs whose record refers to them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:09:runs"

VALUES = """
create table stored_value (
    workspace_id uuid not null references workspace (id) on delete cascade,
    hash bytea not null,
    size bigint not null,
    touched_at timestamptz not null default clock_timestamp(),
    primary key (workspace_id, hash),
    constraint stored_value_hash_ck check (length(hash) = 32)
);
create index stored_value_touched_ix on stored_value (touched_at);

create table stored_piece (
    workspace_id uuid not null,
    hash bytea not null,
    nth integer not null,
    content bytea not null,
    primary key (workspace_id, hash, nth),
    foreign key (workspace_id, hash) references stored_value (workspace_id, hash) on delete cascade
);

-- No key to run: an express run is on record only after its values. What names a value keeps it (on delete restrict).
create table run_value (
    run_id uuid not null,
    hash bytea not null,
    workspace_id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    looked boolean not null default false,
    primary key (run_id, hash),
    foreign key (workspace_id) references workspace (id) on delete cascade,
    foreign key (workspace_id, hash) references stored_value (workspace_id, hash)
);
create index run_value_hash_ix on run_value (workspace_id, hash);
create index run_value_looked_ix on run_value (run_id) where not looked;

-- value_bytes: what one value of a step may be; null = 64 MB.
alter table run_quota add column value_bytes bigint;
alter table run_quota add constraint run_quota_value_bytes_ck check (value_bytes between 1048576 and 1073741824);
"""


async def forwards() -> MigrationManager:
    return migration(
        "runs",
        ID,
        "Large values of steps.",
        VALUES,
        tenant_table("stored_value", app="select, insert, update"),
        tenant_table("stored_piece", app="select, insert"),
        tenant_table("run_value", app="select, insert"),
    )
