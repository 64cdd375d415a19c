"""Where a secret may be sent."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import SITE, migration

ID = "2026-11-21T00:02:vault"

HOSTS = f"""
alter table secret add column hosts text not null default '';
alter table secret add constraint secret_hosts_ck check (length(hosts) <= 500);
grant select (hosts) on secret to {SITE};
"""


async def forwards() -> MigrationManager:
    return migration("vault", ID, "secret.hosts", HOSTS)
