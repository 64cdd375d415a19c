"""Every start step of a live version has a trigger row; a person may switch it off; ends of runs are found by time."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:02:runs"

SQL = """
-- enabled: the live version has this step. paused: a person switched it off; publishing again does not switch it on.
alter table trigger add column paused boolean not null default false;
-- planned: the worker has looked at the step as it is in the live version (app/triggers); publishing asks for it anew.
alter table trigger add column planned boolean not null default false;
alter table trigger alter column token_hash drop not null;
alter table trigger drop constraint trigger_kind_ck;
alter table trigger add constraint trigger_kind_ck check
    (kind in ('webhook', 'schedule', 'event', 'after', 'email', 'drop', 'chat', 'form', 'api'));
create index trigger_unplanned_ix on trigger (id) where enabled and not planned;
create index trigger_workspace_ix on trigger (workspace_id);

-- Who waits for the end of a flow's runs looks by time. BRIN: runs end roughly in the order they were made, and an
-- index of ranges costs a run almost nothing.
create index run_finished_ix on run using brin (finished_at) with (pages_per_range = 32, autosummarize = on);
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Triggers of all kinds.", SQL)
