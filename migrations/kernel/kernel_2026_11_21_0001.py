"""What the roles may do in this database. The roles themselves belong to the whole server: app/migrate.py makes them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:01:kernel"

SQL = """
revoke create on schema public from public;
grant usage on schema public to agentbase_app, agentbase_system, agentbase_site;
"""


async def forwards() -> MigrationManager:
    return migration("kernel", ID, "Roles' rights on the schema.", SQL)
