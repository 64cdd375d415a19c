"""What people think of a run's answer: a thumb up or down, with a note."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:17:runs"

RATING = """
-- user_id null: the visitor for whom the run was. One rating a person and run; another one takes its place.
create table run_rating (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    run_id uuid not null references run (id) on delete cascade,
    user_id uuid,
    good boolean not null,
    note text not null default '',
    created_at timestamptz not null default now(),
    constraint run_rating_note_ck check (length(note) <= 1000)
);
create unique index run_rating_uq on run_rating (run_id, user_id) nulls not distinct;
create index run_rating_workspace_ix on run_rating (workspace_id, created_at);
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "run_rating", RATING + tenant_table("runs.run_rating"))
