"""Endpoints of outgoing webhooks, and what was sent to them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:01:webhooks"

ENDPOINT = """
-- cursor: number of the last event that was looked at; it stays while the endpoint is switched off, so nothing is lost.
create table webhook_endpoint (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    name text not null default '' check (length(name) <= 100),
    url text not null check (length(url) between 1 and 2000),
    kinds text[] not null default '{}',
    sealed bytea not null default '',
    hint text not null default '' check (length(hint) <= 4),
    old_sealed bytea,
    old_until timestamptz,
    paused boolean not null default false,
    disabled_at timestamptz,
    failing_since timestamptz,
    last_ok_at timestamptz,
    cursor bigint not null default 0,
    created_by uuid,
    created_at timestamptz not null default clock_timestamp()
) with (fillfactor = 80);
create index webhook_endpoint_workspace_ix on webhook_endpoint (workspace_id);
"""

DELIVERY = """
-- The id is the webhook-id: the same for every try and every replay. seq: the event it tells of, null for a test.
create table webhook_delivery (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    endpoint_id uuid not null references webhook_endpoint (id) on delete cascade,
    seq bigint,
    type text not null,
    body text not null,
    state text not null default 'due',
    round integer not null default 1,
    tries json not null default '[]',
    created_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    constraint webhook_delivery_state_ck check (state in ('due', 'done', 'dead', 'held')),
    constraint webhook_delivery_event_uq unique (endpoint_id, seq)
) with (fillfactor = 70);
create index webhook_delivery_log_ix on webhook_delivery (endpoint_id, created_at desc);
create index webhook_delivery_open_ix on webhook_delivery (endpoint_id, state) where state in ('dead', 'held');
create index webhook_delivery_workspace_ix on webhook_delivery (workspace_id);
create index webhook_delivery_at_ix on webhook_delivery using brin (created_at);
"""


async def forwards() -> MigrationManager:
    return migration(
        "webhooks",
        ID,
        "Outgoing webhooks.",
        ENDPOINT,
        tenant_table("webhooks.webhook_endpoint"),
        DELIVERY,
        tenant_table("webhooks.webhook_delivery"),
    )
