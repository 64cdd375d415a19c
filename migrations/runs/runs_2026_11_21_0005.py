"""Results that are kept for equal inputs, and runs that take none of them (docs/flow-semantics.md, 90 to 95)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:05:runs"

CACHE = """
-- key: hash over workspace, node type, version, model, settings and inputs. type: of the step, for people.
create table step_cache (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    key bytea not null,
    type text not null,
    output json not null,
    bytes integer not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint step_cache_bytes_ck check (bytes between 0 and 1048576)
);
create unique index step_cache_key_uq on step_cache (workspace_id, key);
create index step_cache_age_ix on step_cache (workspace_id, created_at) include (bytes);
create index step_cache_expires_ix on step_cache (expires_at);
"""

MARKS = """
-- kept: the outcome of this step was kept from a run before; it was not called. afresh: the run takes nothing kept.
alter table node_exec add column kept boolean not null default false;
alter table run add column afresh boolean not null default false;
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Kept results of steps.", CACHE, tenant_table("step_cache"), MARKS)
