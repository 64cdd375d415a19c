"""Tests and datasets travel to the repository, too, where somebody says so."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:02:gitsync"


async def forwards() -> MigrationManager:
    return migration(
        "gitsync", ID, "git_link.tests", "alter table git_link add column tests boolean not null default false;"
    )
