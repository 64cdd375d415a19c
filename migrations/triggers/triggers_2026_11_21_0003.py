"""From when on a trigger counts what happens, and which plans follow something."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:03:triggers"

SQL = """
alter table trigger_plan add column begins_at timestamptz;
create index trigger_plan_events_ix on trigger_plan (workspace_id) where cursor is not null;
create index trigger_plan_ends_ix on trigger_plan (trigger_id) where since is not null;
"""


async def forwards() -> MigrationManager:
    return migration("triggers", ID, "Triggers on events and on ends of runs.", SQL)
