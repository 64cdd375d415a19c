"""Migrations: Piccolo MigrationManager files that run SQL written by hand (docs/adr/0003-migrations.md).

One folder per domain in the order of DOMAINS; in a folder, files in the order of their names
`<domain>_2026_11_21_0001.py`. Each holds an ID and `forwards()`:

    from piccolo.apps.migrations.auto.migration_manager import MigrationManager
    from migrations import migration, tenant_table

    ID = "2026-11-21T00:01:sites"

    async def forwards() -> MigrationManager:
        return migration("sites", ID, "Sites and their pages.", "create table site (…);" + tenant_table("site"))

app/migrate.py runs them, each in one transaction as agentbase_owner. A file that was released is never changed.
"""

import re
from collections.abc import Sequence

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

DOMAINS = (
    "kernel",  # roles, event log, outbox
    "accounts",  # workspace, people, sessions: everything after this may refer to workspace(id)
    "events",  # ties the kernel's tables to workspace
    "vault",
    "files",  # in the settings of steps
    "themes",
    "billing",
    "gateway",
    "runs",
    "triggers",  # beside runs: what starts them, and when
    "webhooks",
    "knowledge",
    "plugins",
    "agents",
    "studio",
    "checks",  # tests of flows: they refer to drafts
    "drafting",
    "gitsync",
    "boards",
    "sites",
    "chat",
    "admin",
    "insights",
    "community",
    "market",
)
"""Every domain with tables, lower ranks first: a foreign key points to an earlier domain only."""

APP, SYSTEM, SITE = "agentbase_app", "agentbase_system", "agentbase_site"


def migration(domain: str, migration_id: str, description: str, *statements: str) -> MigrationManager:
    """A migration that runs this SQL (each text may hold many statements), in one transaction with its record."""
    manager = MigrationManager(migration_id=migration_id, app_name=domain, description=description)

    async def run() -> None:
        from app.db import engine  # here, not above: app.piccolo_conf imports this package

        transaction = engine.open_transaction()
        if transaction is None:
            raise RuntimeError(
                "Migrations run through `agentbase migrate`: it holds the lock and the owner's connection."
            )
        for text in statements:
            await transaction.connection.execute(text)

    manager.add_raw(run)
    return manager


def tenant_table(name: str, *, app: str = "select, insert, update, delete", site: str = "") -> str:
    """SQL that closes a table having a column workspace_id: row security, policies and grants.

    `app`, `site`: what the web and worker role, and the role of published sites, may do at all; the rows are those of the
    workspace of the transaction in any case. `site` is nothing unless said. agentbase_system may do everything with every row.
    The name may be written "domain.table" for the reader's sake: all tables are in schema public.
    """
    table = _plain(name)
    rule = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
    return f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy workspace on {table} to {APP}, {SITE} using ({rule}) with check ({rule});
create policy system on {table} to {SYSTEM} using (true) with check (true);
{_grants(table, app, site)}
"""


def shared_table(name: str, *, app: str = "", site: str = "") -> str:
    """SQL for a table without workspace_id (people, sessions, workers): grants only; agentbase_system may do everything.

    Every such table is named, with its reason, in tests/app/test_catalogue_rls.py.
    """
    return _grants(_plain(name), app, site)


def _grants(table: str, app: str, site: str) -> str:
    lines = [f"grant select, insert, update, delete on {table} to {SYSTEM};"]
    lines += [f"grant {rights} on {table} to {role};" for role, rights in ((APP, app), (SITE, site)) if rights]
    return "\n".join(lines)


def _plain(name: str) -> str:
    table = name.rpartition(".")[2]
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", table):
        raise ValueError(f"{name!r} is not a table name of ours: lower case, digits and underscores.")
    return table


__all__: Sequence[str] = ("APP", "DOMAINS", "SITE", "SYSTEM", "migration", "shared_table", "tenant_table")
