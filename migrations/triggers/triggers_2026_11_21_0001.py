"""When triggers fire next, and the log of what they did and did not do."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:triggers"

PLAN = """
-- One row per trigger of a live version, made and renewed by the worker that notices the version (app/triggers/plans.py).
create table trigger_plan (
    trigger_id uuid primary key references trigger (id) on delete cascade,
    workspace_id uuid not null references workspace (id) on delete cascade,
    version_id uuid not null,
    title text not null default '',
    words text not null default '',
    rule jsonb not null default '{}',
    next_at timestamptz,
    cursor bigint,
    since timestamptz,
    problem text not null default '',
    made_at timestamptz not null default clock_timestamp()
) with (fillfactor = 70);
create index trigger_plan_next_ix on trigger_plan (next_at) where next_at is not null;
create index trigger_plan_workspace_ix on trigger_plan (workspace_id);
"""

FIRING = """
-- `key`: what it fired for (a planned time, an event's number, an ended run, a mail's id). Unique per trigger and written
-- in the transaction that stores the run: that is what makes it once.
create table trigger_firing (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    trigger_id uuid not null references trigger (id) on delete cascade,
    key text not null check (length(key) between 1 and 300),
    result text not null,
    reason text not null default '',
    planned_at timestamptz,
    run_id uuid,
    input json,
    depth smallint not null default 0,
    times integer not null default 1,
    at timestamptz not null default clock_timestamp(),
    constraint trigger_firing_result_ck check (result in ('started', 'queued', 'skipped', 'refused')),
    constraint trigger_firing_once_uq unique (trigger_id, key)
) with (fillfactor = 90);
create index trigger_firing_log_ix on trigger_firing (trigger_id, at desc);
create index trigger_firing_run_ix on trigger_firing (run_id) where run_id is not null;
create index trigger_firing_queued_ix on trigger_firing (trigger_id, id) where result = 'queued';
create index trigger_firing_workspace_ix on trigger_firing (workspace_id);
create index trigger_firing_at_ix on trigger_firing using brin (at);
"""


async def forwards() -> MigrationManager:
    return migration(
        "triggers",
        ID,
        "Plans and firings of triggers.",
        PLAN,
        tenant_table("triggers.trigger_plan"),
        FIRING,
        tenant_table("triggers.trigger_firing"),
    )
