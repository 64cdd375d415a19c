"""An endpoint's deliveries may be signed with a secret of the vault."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:02:webhooks"

NAMED = """
-- secret_name: of the vault, '' = the endpoint's own
alter table webhook_endpoint add column secret_name text not null default '' check (length(secret_name) <= 100);
"""


async def forwards() -> MigrationManager:
    return migration("webhooks", ID, "webhook_endpoint.secret_name", NAMED)
