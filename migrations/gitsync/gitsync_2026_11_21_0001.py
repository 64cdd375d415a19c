"""A workspace's git repository, what both sides last agreed on, and the log."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:gitsync"

LINK = """
create table git_link (
    workspace_id uuid primary key references workspace (id) on delete cascade,
    url text not null,
    branch text not null,
    folder text not null default '',
    form text not null default 'json' check (form in ('json', 'yaml')),
    git_user text not null default '',
    token_sealed bytea,
    token_hint text not null default '',
    push_on_publish boolean not null default false,
    pull_minutes integer not null default 0 check (pull_minutes between 0 and 10080),
    hook_digest bytea,
    head text not null default '',
    state text not null default 'new' check (state in ('new', 'ok', 'conflict', 'failed')),
    said text not null default '',
    busy_at timestamptz,
    wanted_at timestamptz,
    looked_at timestamptz not null default now(),
    synced_at timestamptz,
    created_by uuid,
    created_at timestamptz not null default now()
);
create unique index git_link_hook_ix on git_link (hook_digest) where hook_digest is not null;
"""

FILE = """
create table git_file (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references git_link (workspace_id) on delete cascade,
    path text not null,
    flow_id uuid references flow (id) on delete cascade,
    base text,
    theirs text,
    state text not null default 'same' check (state in ('same', 'conflict', 'gone', 'broken', 'skipped')),
    said text not null default '',
    updated_at timestamptz not null default now()
);
create unique index git_file_path_ix on git_file (workspace_id, path);
create index git_file_flow_ix on git_file (flow_id) where flow_id is not null;
"""

EVENT = """
create table git_event (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references git_link (workspace_id) on delete cascade,
    at timestamptz not null default now(),
    why text not null default '',
    by text not null default '',
    commit_id text not null default '',
    ok boolean not null default true,
    said text not null default '',
    lines json not null default '[]'
);
create index git_event_workspace_ix on git_event (workspace_id, at desc);
"""


async def forwards() -> MigrationManager:
    return migration(
        "gitsync",
        ID,
        "git_link, git_file, git_event",
        LINK + tenant_table("gitsync.git_link"),
        FILE + tenant_table("gitsync.git_file"),
        EVENT + tenant_table("gitsync.git_event"),
    )
