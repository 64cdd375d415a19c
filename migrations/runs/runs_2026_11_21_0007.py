"""How many runs of a flow may be under way at once, in all and for each key (docs/operate/queue.md)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:07:runs"

LIMITS = """
create table flow_limit (
    flow_id uuid primary key,
    workspace_id uuid not null references workspace (id) on delete cascade,
    running integer,
    key text not null default '',
    per_key integer,
    constraint flow_limit_running_ck check (running between 1 and 10000),
    constraint flow_limit_per_key_ck check (per_key between 1 and 10000),
    constraint flow_limit_key_ck check ((key = '') = (per_key is null))
);
create index flow_limit_workspace_ix on flow_limit (workspace_id);
"""

LINES = """
-- line: where a run queues. '' = with all others of its workspace; '<flow>' of a flow with limits; '<flow>/<hash of key>'.
-- Collated "C", so that all lines of a flow lie between '<flow>' and '<flow>0'.
alter table run add column line text collate "C" not null default '';
drop index run_queue_ix;
create index run_queue_ix on run (lane, workspace_id, line, priority desc, queued_at) where status = 'queued';
drop index run_busy_ix;
create index run_busy_ix on run (workspace_id, line) where status = 'running';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Limits of flows.", LIMITS, tenant_table("flow_limit"), LINES)
