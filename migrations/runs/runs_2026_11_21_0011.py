"""A version's name and notes may be changed afterwards; what it runs may not (flow_version_is_immutable)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import APP, migration

ID = "2026-11-21T00:11:runs"


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Versions are described.", f"grant update (name, notes) on flow_version to {APP}")
