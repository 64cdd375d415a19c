"""The record of rounds is read some hundreds at a time when a run is taken up."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:14:runs"

SQL = """
-- Partial: steps outside of containers don't pay for it.
create index node_exec_round_ix on node_exec (run_id, iter_path) where iter_path <> '';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Rounds of a run.", SQL)
