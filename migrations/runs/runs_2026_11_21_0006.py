"""What is queued, by age: the sweeper looks for it every two seconds, also with a million runs queued."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:06:runs"

SQL = """
-- The old one held only runs nobody was told of; the others, told long ago, were found by reading the whole queue. It
-- also named dispatched_at, so every telling wrote all indexes of the run anew.
drop index run_undispatched_ix;
create index run_queued_ix on run (queued_at) where status = 'queued';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "The queue by age.", SQL)
