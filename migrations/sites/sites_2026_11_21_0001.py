"""Sites, their pages and published versions, and what visitors leave there: conversations with turns, and form submissions.

A visitor is a random id in a cookie of the site's own host, stored as its SHA-256. The role of published sites sees a visitor's
rows only while `app.visitor` names that visitor (restrictive policies): one visitor never sees another one's data, whatever the query.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import SITE, migration, tenant_table

ID = "2026-11-21T00:00:01:sites"

SITES = """
create table site (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    slug text not null,
    name text not null,
    theme text not null default 'plot',
    hue real not null default 150,
    strength real not null default 1,
    keep_days integer not null default 30,
    turns_per_day integer not null default 100,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint site_slug_uq unique (slug),
    constraint site_slug_ck check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    constraint site_keep_days_ck check (keep_days between 1 and 365),
    constraint site_turns_ck check (turns_per_day between 1 and 10000)
);
create index site_workspace_ix on site (workspace_id, created_at);

create table page (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    site_id uuid not null references site (id) on delete cascade,
    path text not null,
    title text not null,
    description text not null default '',
    position integer not null default 0,
    blocks jsonb not null default '[]',
    rev integer not null default 1,
    live_version_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint page_path_uq unique (site_id, path),
    constraint page_path_ck check (path = '/' or path ~ '^/[a-z0-9-]{1,60}$')
);

create table page_version (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    page_id uuid not null references page (id) on delete cascade,
    number integer not null,
    path text not null,
    title text not null,
    description text not null,
    position integer not null,
    blocks jsonb not null,
    published_by uuid,
    published_at timestamptz not null default now(),
    constraint page_version_number_uq unique (page_id, number)
);
alter table page add constraint page_live_version_fk foreign key (live_version_id)
    references page_version (id) on delete set null;
"""

VISITORS = """
create table conversation (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    site_id uuid not null references site (id) on delete cascade,
    page_id uuid not null references page (id) on delete cascade,
    block_id text not null,
    flow_id uuid not null,
    visitor bytea not null,
    created_at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    ended_at timestamptz
);
create unique index conversation_open_uq on conversation (page_id, block_id, visitor) where ended_at is null;
create index conversation_site_ix on conversation (site_id, last_at desc);

create table turn (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    conversation_id uuid not null references conversation (id) on delete cascade,
    visitor bytea not null,
    role text not null,
    text text not null default '',
    state text not null default 'done',
    run_id uuid,
    created_at timestamptz not null default clock_timestamp(),
    constraint turn_role_ck check (role in ('user', 'assistant')),
    constraint turn_state_ck check (state in ('working', 'done', 'failed'))
);
create index turn_conversation_ix on turn (conversation_id, created_at, id);

create table submission (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    site_id uuid not null references site (id) on delete cascade,
    page_id uuid not null references page (id) on delete cascade,
    block_id text not null,
    flow_id uuid not null,
    visitor bytea not null,
    input jsonb not null,
    state text not null default 'working',
    result text not null default '',
    run_id uuid,
    created_at timestamptz not null default now(),
    constraint submission_state_ck check (state in ('working', 'done', 'failed'))
);
create index submission_site_ix on submission (site_id, created_at desc);
"""


def _only_own(table: str) -> str:
    rule = "visitor = decode(nullif(current_setting('app.visitor', true), ''), 'hex')"
    return f"create policy visitor on {table} as restrictive to {SITE} using ({rule}) with check ({rule});"


async def forwards() -> MigrationManager:
    return migration(
        "sites",
        ID,
        "Sites, pages, published versions, conversations and submissions.",
        SITES,
        tenant_table("sites.site", site="select"),
        tenant_table("sites.page"),
        f"grant select (id, workspace_id, site_id, live_version_id) on page to {SITE};",
        tenant_table("sites.page_version", app="select, insert", site="select"),
        VISITORS,
        tenant_table("sites.conversation", site="select, insert, update"),
        tenant_table("sites.turn", site="select, insert, update"),
        tenant_table("sites.submission", site="select, insert, update"),
        *(_only_own(table) for table in ("conversation", "turn", "submission")),
    )
