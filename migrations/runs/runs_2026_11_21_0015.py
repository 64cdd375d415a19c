"""The lane bulk: runs nobody waits for, which take what the others leave (docs/operate/queue.md)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:15:runs"

BULK = """
-- "not valid": every row of before is in the smaller set; nothing has to be looked at while the table is locked
alter table run drop constraint run_lane_ck;
alter table run add constraint run_lane_ck
    check (lane in ('express', 'interactive', 'normal', 'bulk', 'quarantine')) not valid;
alter table flow_limit add column bulk boolean not null default false;
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "The lane bulk.", BULK)
