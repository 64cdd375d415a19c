"""Approvals: whether a workspace wants an owner's word before a version goes live, and who asked and answered."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:06:studio"

RULE = """
create table publishing_rule (
    workspace_id uuid primary key references workspace (id) on delete cascade,
    approval boolean not null default false,
    set_by uuid,
    set_at timestamptz not null default now()
);
"""

REQUEST = """
create table publish_request (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null references flow (id) on delete cascade,
    version_id uuid not null references flow_version (id) on delete cascade,
    asked_by uuid not null,
    words text not null default '',
    asked_at timestamptz not null default now(),
    decision text not null default '',
    answer text not null default '',
    decided_by uuid,
    decided_at timestamptz,
    constraint publish_request_words_ck check (length(words) <= 2000 and length(answer) <= 2000),
    constraint publish_request_decision_ck check (decision in ('', 'approved', 'rejected', 'withdrawn')),
    constraint publish_request_decided_ck check ((decision = '') = (decided_at is null)),
    constraint publish_request_four_eyes_ck check (decision not in ('approved', 'rejected') or decided_by <> asked_by)
);
create unique index publish_request_open_uq on publish_request (version_id) where decision = '';
create index publish_request_flow_ix on publish_request (flow_id, asked_at desc);
create index publish_request_waiting_ix on publish_request (workspace_id, asked_at) where decision = '';
"""


async def forwards() -> MigrationManager:
    return migration(
        "studio",
        ID,
        "publishing_rule, publish_request",
        RULE + tenant_table("studio.publishing_rule"),
        REQUEST + tenant_table("studio.publish_request", app="select, insert, update"),
    )
