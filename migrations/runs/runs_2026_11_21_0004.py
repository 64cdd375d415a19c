"""A signal may be meant for one step only: several steps of a run may wait for the same name at once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:04:runs"

SQL = """
-- step: '' = the first step that waits for the name; else its path, with its round after a colon ("ask:1").
alter table run_signal add column step text not null default '';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Signals for one step.", SQL)
