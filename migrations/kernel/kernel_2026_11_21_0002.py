"""The event log of each workspace, its counter, and the outbox."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:02:kernel"

EVENTS = """
-- One row per workspace. Whoever writes an event holds it to the end of the transaction, so numbers have no gaps
-- and appear in their own order: a reader who saw n has seen everything before n.
create table event_counter (
    workspace_id uuid primary key,
    last bigint not null
) with (fillfactor = 50);

create table event (
    workspace_id uuid not null,
    seq bigint not null,
    topic text not null check (length(topic) between 1 and 200),
    type text not null check (length(type) between 1 and 100),
    data jsonb not null,
    at timestamptz not null default clock_timestamp(),
    primary key (workspace_id, seq)
);
create index event_at_ix on event using brin (at);
"""

OUTBOX = """
-- Everything that must leave the house because of a change (mail, webhook): written with the change, sent after it.
create table outbox (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null,
    kind text not null check (length(kind) between 1 and 100),
    dedupe_key text not null,
    payload jsonb not null,
    attempts int not null default 0,
    next_at timestamptz not null default now(),
    claimed_until timestamptz,
    done_at timestamptz,
    dead_at timestamptz,
    error text not null default '',
    created_at timestamptz not null default now(),
    constraint outbox_dedupe_uq unique (workspace_id, kind, dedupe_key)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
create index outbox_due_ix on outbox (next_at) where done_at is null and dead_at is null;
"""


async def forwards() -> MigrationManager:
    return migration(
        "kernel",
        ID,
        "Event log and outbox.",
        EVENTS,
        tenant_table("event_counter", app="select, insert, update", site="select, insert, update"),
        tenant_table("event", app="select, insert", site="insert"),
        OUTBOX,
        tenant_table("outbox", app="select, insert", site="insert"),
    )
