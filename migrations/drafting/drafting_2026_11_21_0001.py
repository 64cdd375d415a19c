"""Proposals: flows drafted from a description, until somebody takes them over or throws them away."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:drafting"

PROPOSAL = """
-- before, after: the whole documents, so that a proposal can still be looked at when the flow has moved on.
create table proposal (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid references flow (id) on delete cascade,
    wish text not null check (length(wish) between 1 and 4000),
    model text not null,
    status text not null default 'working'
        check (status in ('working', 'ready', 'failed', 'cancelled', 'accepted', 'rejected')),
    said text not null default '',
    base_rev integer not null default 0,
    before json not null,
    after json,
    notes json not null default '[]',
    log json not null default '[]',
    seen json not null default '[]',
    rounds integer not null default 0,
    cost_micros bigint not null default 0,
    made_flow uuid references flow (id) on delete set null,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index proposal_workspace_ix on proposal (workspace_id, created_at desc);
create index proposal_flow_ix on proposal (flow_id, created_at desc);
create index proposal_made_ix on proposal (made_flow) where made_flow is not null;
"""


async def forwards() -> MigrationManager:
    return migration("drafting", ID, "proposal", PROPOSAL + tenant_table("drafting.proposal"))
