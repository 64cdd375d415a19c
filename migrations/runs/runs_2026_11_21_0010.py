"""Breakpoints: where a run of a draft pauses (docs/flow-semantics.md, 110 to 117)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:10:runs"

BREAKS = """
alter table run add column breaks json;
comment on column run.breaks is 'flows.breaks.Breaks; null: the run pauses nowhere';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "run.breaks", BREAKS)
