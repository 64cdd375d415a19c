"""Workspaces and people, sessions, API keys, outside identities, invitations."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import APP, SITE, SYSTEM, migration, shared_table, tenant_table

ID = "2026-11-21T00:01:accounts"

WORKSPACE = f"""
create table workspace (
    id uuid primary key default uuidv7(),
    name text not null check (length(name) between 1 and 100),
    created_at timestamptz not null default now()
);
-- The tenant itself: its own row is the one it sees.
alter table workspace enable row level security;
alter table workspace force row level security;
create policy workspace on workspace to {APP}, {SITE}
    using (id = nullif(current_setting('app.workspace_id', true), '')::uuid)
    with check (id = nullif(current_setting('app.workspace_id', true), '')::uuid);
create policy system on workspace to {SYSTEM} using (true) with check (true);
grant select, insert, update, delete on workspace to {SYSTEM};
grant select, update on workspace to {APP};
grant select on workspace to {SITE};
"""

PEOPLE = """
create table user_account (
    id uuid primary key default uuidv7(),
    email text not null check (length(email) between 3 and 254),
    name text not null default '' check (length(name) <= 100),
    password_hash text not null default '',
    theme text not null default 'system' check (theme in ('system', 'light', 'dark')),
    density text not null default 'comfortable' check (density in ('comfortable', 'compact')),
    disabled_at timestamptz,
    last_sign_in_at timestamptz,
    created_at timestamptz not null default now()
);
create unique index user_account_email_uq on user_account (lower(email));

create table membership (
    workspace_id uuid not null references workspace(id) on delete cascade,
    user_id uuid not null references user_account(id) on delete cascade,
    role text not null check (role in ('owner', 'editor', 'viewer')),
    created_at timestamptz not null default now(),
    primary key (workspace_id, user_id)
);
create index membership_user_ix on membership (user_id);
"""

# People of other workspaces do not exist for the web's role, and nobody's password hash does.
PEOPLE_RIGHTS = """
alter table user_account enable row level security;
alter table user_account force row level security;
create policy workspace on user_account for select to agentbase_app
    using (exists (select from membership m where m.user_id = user_account.id
                   and m.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid));
create policy system on user_account to agentbase_system using (true) with check (true);
grant select, insert, update, delete on user_account to agentbase_system;
grant select (id, email, name, created_at, last_sign_in_at, disabled_at) on user_account to agentbase_app;
"""

SESSION = """
-- The cookie's SHA-256, never the cookie. A row is one browser that is signed in.
create table session (
    id uuid primary key default uuidv7(),
    digest bytea not null unique check (length(digest) = 32),
    user_id uuid not null references user_account(id) on delete cascade,
    workspace_id uuid not null references workspace(id) on delete cascade,
    user_agent text not null default '' check (length(user_agent) <= 400),
    address text not null default '' check (length(address) <= 64),
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null
) with (fillfactor = 80);
create index session_user_ix on session (user_id);
create index session_expires_ix on session (expires_at);
"""

KEYS = """
create table api_key (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace(id) on delete cascade,
    user_id uuid not null references user_account(id) on delete cascade,
    name text not null check (length(name) between 1 and 100),
    prefix text not null,
    digest bytea not null unique check (length(digest) = 32),
    scopes text[] not null,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null default now()
) with (fillfactor = 80);
create index api_key_workspace_ix on api_key (workspace_id, created_at);

-- Who somebody is at Google, GitHub or another provider: the pair (issuer, subject), never the e-mail, which can change hands.
create table identity (
    id uuid primary key default uuidv7(),
    user_id uuid not null references user_account(id) on delete cascade,
    issuer text not null,
    subject text not null,
    label text not null default '',
    created_at timestamptz not null default now(),
    used_at timestamptz,
    constraint identity_issuer_subject_uq unique (issuer, subject)
);
create index identity_user_ix on identity (user_id);

create table invite (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace(id) on delete cascade,
    digest bytea not null unique check (length(digest) = 32),
    role text not null check (role in ('owner', 'editor', 'viewer')),
    email text not null default '' check (length(email) <= 254),
    created_by uuid not null references user_account(id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by uuid references user_account(id) on delete set null
);
create index invite_workspace_ix on invite (workspace_id, created_at);
"""


async def forwards() -> MigrationManager:
    return migration(
        "accounts",
        ID,
        "Workspaces, people, sessions, API keys, identities, invitations.",
        WORKSPACE,
        PEOPLE,
        PEOPLE_RIGHTS,
        tenant_table("membership"),
        SESSION,
        shared_table("session"),
        KEYS,
        tenant_table("api_key"),
        shared_table("identity"),
        tenant_table("invite"),
    )
