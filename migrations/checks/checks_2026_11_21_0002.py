"""Datasets of flows, and matrices of prompts, models and versions over them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:02:checks"

DATASET = """
create table dataset (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    name text not null check (length(name) between 1 and 120),
    source text not null default '',
    rows integer not null default 0,
    created_by uuid,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create index dataset_flow_ix on dataset (flow_id, created_at) where removed_at is null;
create index dataset_workspace_ix on dataset (workspace_id);
"""

ROW = """
-- input, expected: json, because the order of an object's fields is part of what people wrote.
create table dataset_row (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    dataset_id uuid not null references dataset (id) on delete cascade,
    place integer not null,
    input json not null,
    expected json,
    source_run uuid
);
create unique index dataset_row_place_ix on dataset_row (dataset_id, place);
create index dataset_row_workspace_ix on dataset_row (workspace_id);
"""

EXPERIMENT = """
create table experiment (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    dataset_id uuid not null references dataset (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    status text not null default 'running' check (status in ('running', 'done', 'stopped', 'cancelled')),
    said text not null default '',
    trigger text not null default '',
    expect json not null default '[]',
    variants json not null,
    most_micros bigint not null default 0,
    created_by uuid,
    created_at timestamptz not null default now(),
    leased_until timestamptz,
    finished_at timestamptz
);
create index experiment_dataset_ix on experiment (dataset_id, created_at desc);
create index experiment_flow_ix on experiment (flow_id, created_at desc);
create index experiment_workspace_ix on experiment (workspace_id);
create index experiment_running_ix on experiment (leased_until) where status = 'running';
"""

TRIAL = """
create table experiment_trial (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    experiment_id uuid not null references experiment (id) on delete cascade,
    row_id uuid not null references dataset_row (id) on delete cascade,
    variant integer not null,
    place integer not null,
    status text not null default 'queued' check (status in ('queued', 'running', 'done', 'cancelled')),
    run_id uuid,
    passed boolean,
    score double precision,
    verdicts json not null default '[]',
    error text not null default '',
    output text not null default '',
    ms double precision not null default 0,
    cost_micros bigint not null default 0,
    started_at timestamptz
);
create unique index experiment_trial_cell_ix on experiment_trial (experiment_id, row_id, variant);
create index experiment_trial_open_ix on experiment_trial (experiment_id, place, variant)
    where status in ('queued', 'running');
create index experiment_trial_row_ix on experiment_trial (row_id);
create index experiment_trial_workspace_ix on experiment_trial (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "checks",
        ID,
        "dataset, dataset_row, experiment, experiment_trial",
        DATASET + tenant_table("checks.dataset"),
        ROW + tenant_table("checks.dataset_row"),
        EXPERIMENT + tenant_table("checks.experiment"),
        TRIAL + tenant_table("checks.experiment_trial"),
    )
