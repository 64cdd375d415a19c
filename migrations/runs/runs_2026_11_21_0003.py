"""Runs that go on from a step of another run, links to a run, what is found by words, and how long runs are kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import APP, SYSTEM, migration, tenant_table

ID = "2026-11-21T00:03:runs"

REPLAYS = f"""
alter table run add column origin_run uuid references run (id) on delete set null,
                add column from_step text not null default '';
create index run_origin_ix on run (origin_run) where origin_run is not null;

-- taken_over: this outcome was copied from the run it goes on from; it cost nothing here.
-- edits: what a person put in the place of inputs, by port. 'ready': a step of a replay that has not begun yet.
alter table node_exec add column taken_over boolean not null default false, add column edits json;
alter table node_exec drop constraint node_exec_status_ck;
alter table node_exec add constraint node_exec_status_ck check (status in
    ('ready', 'started', 'succeeded', 'backoff', 'failed', 'skipped', 'cancelled', 'waiting', 'in_doubt'));
grant insert on node_exec to {APP};
"""

SHARES = """
create table run_share (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    run_id uuid not null references run (id) on delete cascade,
    token_hash bytea not null,
    created_by uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create unique index run_share_token_uq on run_share (token_hash);
create index run_share_run_ix on run_share (run_id);
create index run_share_workspace_ix on run_share (workspace_id);
"""

WORDS = f"""
-- Filled after the run by a job, so that a search costs the run itself nothing. The lexeme 'ws<id>' in it lets the one
-- index answer "these words, in this workspace".
create table run_words (
    run_id uuid primary key references run (id) on delete cascade,
    workspace_id uuid not null references workspace (id) on delete cascade,
    words tsvector not null
);
create index run_words_ix on run_words using gin (words);
create index run_words_workspace_ix on run_words (workspace_id);

-- How far jobs that follow ended runs have come. `name`: words | spans.
create table run_followed (
    name text primary key,
    up_to timestamptz not null
);
grant select, insert, update, delete on run_followed to {SYSTEM};
"""

KEEPING = """
create table run_keeping (
    workspace_id uuid primary key references workspace (id) on delete cascade,
    days integer not null,
    constraint run_keeping_days_ck check (days between 1 and 3650)
);
"""


async def forwards() -> MigrationManager:
    return migration(
        "runs",
        ID,
        "Replays, links to runs, search by words, retention.",
        REPLAYS,
        SHARES,
        tenant_table("run_share"),
        WORDS,
        tenant_table("run_words", app="select"),
        KEEPING,
        tenant_table("run_keeping", app="select, insert, update"),
    )
