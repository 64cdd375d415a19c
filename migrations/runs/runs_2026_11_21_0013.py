"""A new version for a part of the visitors, and when a version first went live."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import APP, migration, tenant_table

ID = "2026-11-21T00:13:runs"

LIVE_AT = f"""
alter table flow_version add column live_at timestamptz;
comment on column flow_version.live_at is 'when it was first live for everybody; null: never';
update flow_version set live_at = created_at where kind = 'published';
grant update (live_at) on flow_version to {APP};
"""  # noqa: S608 -- a role's name of ours

ROLLOUT = """
create table flow_rollout (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    version_id uuid not null references flow_version (id) on delete cascade,
    before_id uuid not null references flow_version (id) on delete cascade,
    percent integer not null,
    stop_above integer,
    after_runs integer not null default 20,
    started_by uuid,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text not null default '',
    why text not null default '',
    constraint flow_rollout_percent_ck check (percent between 1 and 99),
    constraint flow_rollout_stop_ck check (stop_above between 0 and 99),
    constraint flow_rollout_after_ck check (after_runs between 1 and 100000),
    constraint flow_rollout_outcome_ck check ((ended_at is null) = (outcome = '')
        and outcome in ('', 'finished', 'stopped', 'guarded', 'replaced'))
);
create unique index flow_rollout_active_uq on flow_rollout (flow_id) where ended_at is null;
create index flow_rollout_flow_ix on flow_rollout (workspace_id, flow_id, started_at desc);
create index run_version_ix on run (version_id, created_at);
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "flow_rollout, flow_version.live_at", LIVE_AT, ROLLOUT, tenant_table("flow_rollout"))
