"""How often a link to a flow was opened and copied from, for who made it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:00:09:studio"

COUNTS = """
alter table flow_share
    add column opened integer not null default 0,
    add column copied integer not null default 0,
    add column last_opened_at timestamptz;
comment on column flow_share.opened is 'times somebody outside its workspace looked at the page behind the link';
"""


async def forwards() -> MigrationManager:
    return migration("studio", ID, "flow_share: opened, copied", COUNTS)
