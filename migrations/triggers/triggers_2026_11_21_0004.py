"""Pace of a trigger: start after a quiet time, or at most so often (app/triggers/pacing.py)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:04:triggers"

PACE = """
create table trigger_pace (
    trigger_id uuid primary key references trigger (id) on delete cascade,
    workspace_id uuid not null references workspace (id) on delete cascade,
    mode text not null,
    seconds integer not null,
    key text not null default '',
    take text not null default 'last',
    longest integer,
    most integer not null default 1,
    over text not null default 'queue',
    constraint trigger_pace_mode_ck check (mode in ('quiet', 'rate')),
    constraint trigger_pace_seconds_ck check (seconds between 1 and 86400),
    constraint trigger_pace_take_ck check (take in ('first', 'last', 'collect')),
    constraint trigger_pace_longest_ck check (longest between 1 and 864000),
    constraint trigger_pace_most_ck check (most between 1 and 10000),
    constraint trigger_pace_over_ck check (over in ('queue', 'drop'))
);
create index trigger_pace_workspace_ix on trigger_pace (workspace_id);
-- paced: the door of webhooks asks for it with the address itself
alter table trigger add column paced boolean not null default false;
"""

FIRING = """
-- pace_key: what the pace counts for, '' = all firings of the trigger. slot_at: when it starts, or started, by the pace.
alter table trigger_firing add column pace_key text, add column slot_at timestamptz;
alter table trigger_firing drop constraint trigger_firing_result_ck;
alter table trigger_firing add constraint trigger_firing_result_ck
    check (result in ('started', 'queued', 'held', 'merged', 'skipped', 'refused'));
create index trigger_firing_slot_ix on trigger_firing (trigger_id, pace_key, slot_at desc) where slot_at is not null;
create index trigger_firing_held_ix on trigger_firing (slot_at) where result = 'held';
"""


async def forwards() -> MigrationManager:
    return migration("triggers", ID, "Pace of triggers.", PACE, tenant_table("trigger_pace"), FIRING)
