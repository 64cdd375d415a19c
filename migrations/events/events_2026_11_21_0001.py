"""Event log and outbox belong to a workspace and go with it. Apart from the kernel's file: workspace comes between."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:01:events"

# event hangs on its counter, not on workspace: the row is locked by the same insert anyway, so the check costs nothing.
SQL = """
alter table event_counter add constraint event_counter_workspace_fk
    foreign key (workspace_id) references workspace (id) on delete cascade;
alter table event add constraint event_counter_fk
    foreign key (workspace_id) references event_counter (workspace_id) on delete cascade;
alter table outbox add constraint outbox_workspace_fk
    foreign key (workspace_id) references workspace (id) on delete cascade;
"""


async def forwards() -> MigrationManager:
    return migration("events", ID, "Foreign keys of the event log and the outbox.", SQL)
