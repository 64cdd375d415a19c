"""Tests of flows, what they found, and whether a flow must pass them before it is published."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:checks"

CASE = """
-- input, expect, answers: json, because the order of an object's fields is part of what people wrote.
create table check_case (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    name text not null check (length(name) between 1 and 120),
    trigger text not null default '',
    input json not null,
    expect json not null default '[]',
    answers json not null default '[]',
    source_run uuid,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    removed_at timestamptz
);
create index check_case_flow_ix on check_case (flow_id, created_at) where removed_at is null;
create index check_case_workspace_ix on check_case (workspace_id);
"""

RESULT = """
-- The last results of a test. `finished_at` null: it runs, or its process died while it did.
create table check_result (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    case_id uuid not null references check_case (id) on delete cascade,
    version_id uuid not null references flow_version (id) on delete cascade,
    run_id uuid,
    passed boolean,
    error text not null default '',
    verdicts json not null default '[]',
    ms double precision not null default 0,
    cost_micros bigint not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);
create index check_result_case_ix on check_result (case_id, started_at desc);
create index check_result_version_ix on check_result (version_id);
create index check_result_workspace_ix on check_result (workspace_id);
"""

RULE = """
create table check_rule (
    flow_id uuid primary key references flow (id) on delete cascade,
    workspace_id uuid not null references workspace (id) on delete cascade,
    required boolean not null
);
create index check_rule_workspace_ix on check_rule (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "checks",
        ID,
        "check_case, check_result, check_rule",
        CASE + tenant_table("checks.check_case"),
        RESULT + tenant_table("checks.check_result"),
        RULE + tenant_table("checks.check_rule"),
    )
