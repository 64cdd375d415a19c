"""Variables: what expressions read as vars.name, a set for live and one for each environment; a run keeps its set."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:18:runs"

SET = """
-- A set never changes: what is changed is a new set, and the newest of an environment (null = live) is the one in force.
-- environment_id without a reference: a set outlives its environment as long as runs were made with it, and must not
-- become one of live.
create table variable_set (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    environment_id uuid,
    vars jsonb not null default '{}',
    by_user uuid,
    made_at timestamptz not null default clock_timestamp(),
    constraint variable_set_vars_ck check (jsonb_typeof(vars) = 'object' and pg_column_size(vars) <= 262144)
);
create index variable_set_newest_ix on variable_set (workspace_id, environment_id, id);
"""

RUN = """
alter table run add column variables_id uuid;
"""
RUN_INDEX = """
create index run_variables_ix on run (variables_id) where variables_id is not null;
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "variable_set", SET, RUN, RUN_INDEX, tenant_table("variable_set"))
