"""Named suites of tests, and the record a test had before it was recorded anew."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:03:checks"

EARLIER = """
-- {input, answers, trigger, source_run} before the last recording, to take that back; null = there was none.
alter table check_case add column earlier json;
"""

SUITE = """
-- A test is in any number of suites. `gates`: with the flow's rule on, these suites are run before it is published.
create table check_suite (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    name text not null check (length(name) between 1 and 80),
    gates boolean not null default false,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index check_suite_name_ix on check_suite (flow_id, name) where removed_at is null;
create index check_suite_workspace_ix on check_suite (workspace_id);

create table check_suite_case (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    suite_id uuid not null references check_suite (id) on delete cascade,
    case_id uuid not null references check_case (id) on delete cascade
);
create unique index check_suite_case_ix on check_suite_case (suite_id, case_id);
create index check_suite_case_case_ix on check_suite_case (case_id);
create index check_suite_case_workspace_ix on check_suite_case (workspace_id);
"""


async def forwards() -> MigrationManager:
    return migration(
        "checks",
        ID,
        "check_suite, check_suite_case; check_case.earlier",
        EARLIER,
        SUITE + tenant_table("checks.check_suite"),
        tenant_table("checks.check_suite_case"),
    )
