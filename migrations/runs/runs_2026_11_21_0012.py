"""What a workspace must hear of its runs: written with the run's own event, told afterwards (app/runs/news.py)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:12:runs"

NEWS = """
-- No key to run: what happened stays true when the run is deleted before somebody told it.
create table run_news (
    id bigint generated always as identity primary key,
    workspace_id uuid not null references workspace (id) on delete cascade,
    run_id uuid not null,
    type text not null,
    node text not null default '',
    at timestamptz not null default clock_timestamp()
) with (autovacuum_vacuum_scale_factor = 0.01);
create index run_news_workspace_ix on run_news (workspace_id, id);
"""

NOTED = """
-- By the database and not by those who write events: six statements do, and a seventh would be forgotten.
create function run_event_is_news() returns trigger language plpgsql as $$
begin
    insert into run_news (workspace_id, run_id, type, node)
    values (new.workspace_id, new.run_id, new.type, coalesce(new.payload ->> 'node', ''));
    return null;
end $$;
create trigger run_event_news after insert on run_event for each row
    when (new.type in ('run.succeeded', 'run.failed', 'run.cancelled', 'run.in_doubt', 'run.dead', 'run.waiting'))
    execute function run_event_is_news();
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "News of runs.", NEWS, tenant_table("run_news"), NOTED)
