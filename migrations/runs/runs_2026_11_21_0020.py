"""Crashes at which nothing of a run was under way are counted apart from those it may have caused."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:20:runs"

RUN = """
-- crash_count: crashes in a step of it that was on record as begun; idle_crashes: all others. Both since it last got on.
alter table run add column idle_crashes smallint not null default 0;
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "run.idle_crashes", RUN)
