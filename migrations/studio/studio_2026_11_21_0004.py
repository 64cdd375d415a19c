"""Comments: threads about a flow or one of its steps, and who was mentioned in them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:04:studio"

COMMENT = """
create table flow_comment (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    thread_id uuid references flow_comment (id) on delete cascade,
    node_id text not null default '',
    node_title text not null default '',
    text text not null,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    edited_at timestamptz,
    removed_at timestamptz,
    resolved_at timestamptz,
    resolved_by uuid,
    constraint flow_comment_text_ck check (length(text) <= 4000),
    constraint flow_comment_node_ck check (length(node_id) <= 40 and length(node_title) <= 200),
    constraint flow_comment_reply_ck check (thread_id is null or (node_id = '' and resolved_at is null))
);
create index flow_comment_flow_ix on flow_comment (flow_id, created_at);
create index flow_comment_thread_ix on flow_comment (thread_id) where thread_id is not null;
"""

MENTION = """
create table comment_mention (
    workspace_id uuid not null references workspace (id) on delete cascade,
    comment_id uuid not null references flow_comment (id) on delete cascade,
    user_id uuid not null,
    at timestamptz not null default now(),
    seen_at timestamptz,
    primary key (comment_id, user_id)
);
create index comment_mention_unseen_ix on comment_mention (workspace_id, user_id) where seen_at is null;
"""


async def forwards() -> MigrationManager:
    return migration(
        "studio",
        ID,
        "flow_comment, comment_mention",
        COMMENT + tenant_table("studio.flow_comment", app="select, insert, update"),
        MENTION + tenant_table("studio.comment_mention"),
    )
