"""Who was asked what by e-mail, or by a link that somebody copied (app/runs/asking.py)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:08:runs"

ASKED = """
create table run_ask (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    run_id uuid not null references run (id) on delete cascade,
    node_id text not null,
    iter_path text not null default '',
    email text not null default '',
    token_hash bytea not null,
    created_by uuid,
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    next_at timestamptz,
    every double precision not null default 0,
    most smallint not null default 0,
    sent smallint not null default 0,
    sent_at timestamptz,
    constraint run_ask_email_ck check (length(email) <= 320),
    constraint run_ask_every_ck check (every >= 0 and most >= 0 and sent >= 0)
);
create unique index run_ask_token_uq on run_ask (token_hash);
create unique index run_ask_person_uq on run_ask (run_id, node_id, iter_path, email) where email <> '';
create index run_ask_step_ix on run_ask (run_id, node_id, iter_path);
create index run_ask_due_ix on run_ask (next_at) where next_at is not null;
create index run_ask_sent_ix on run_ask (workspace_id, sent_at);
"""

TOLD = """
-- told: the people this step asks by e-mail have their links. Only steps that wait with "people" are ever told.
alter table node_exec add column told boolean not null default false;
create index node_exec_untold_ix on node_exec (run_id) where status = 'waiting' and not told and (wait->'people') is not null;
-- questions of a workspace that are open, also in runs whose other branches are under way
create index node_exec_open_ix on node_exec (workspace_id, run_id)
    where status = 'waiting' and wait->>'signal' <> '' and coalesce(wait->>'asks', '') <> 'false';
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "Questions by e-mail.", ASKED, tenant_table("run_ask"), TOLD)
