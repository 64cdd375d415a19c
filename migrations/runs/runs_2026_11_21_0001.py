"""Versions of flows, triggers and the run ledger: the row of a run, of each step, of each try, and of each event.

A run of the express lane keeps its steps in `run.steps` (one row, one insert, one group commit; see flows/ledger/commit.py); only
durable runs have rows in node_exec and node_attempt. node_attempt and run_event are not partitioned by month: they go with their run
(`on delete cascade`), so retention is one delete on `run`.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, shared_table, tenant_table

ID = "2026-11-21T00:01:runs"

VERSIONS = """
create table flow_version (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    number integer not null default 0,
    kind text not null default 'published',
    name text not null default '',
    notes text not null default '',
    document jsonb not null,
    content_hash bytea not null,
    engine_abi smallint not null default 1,
    node_versions jsonb not null default '{}',
    created_by uuid,
    created_at timestamptz not null default now(),
    constraint flow_version_kind_ck check (kind in ('published', 'draft'))
);
create unique index flow_version_number_uq on flow_version (flow_id, number) where kind = 'published';
create unique index flow_version_draft_uq on flow_version (flow_id, content_hash) where kind = 'draft';
create index flow_version_flow_ix on flow_version (workspace_id, flow_id, created_at desc);

create function flow_version_is_immutable() returns trigger language plpgsql as $body$
begin
    if row (old.document, old.content_hash, old.flow_id, old.workspace_id, old.number, old.kind)
       is distinct from row (new.document, new.content_hash, new.flow_id, new.workspace_id, new.number, new.kind) then
        raise exception 'A version is never changed. Save a new one instead (version %).', old.id;
    end if;
    return new;
end $body$;
create trigger flow_version_is_immutable before update on flow_version
    for each row execute function flow_version_is_immutable();

create table flow_live (
    flow_id uuid primary key,
    workspace_id uuid not null references workspace (id) on delete cascade,
    version_id uuid not null references flow_version (id) on delete cascade,
    updated_at timestamptz not null default now()
);

create table trigger (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    node_id text not null,
    kind text not null,
    token_hash bytea not null,
    token_round integer not null default 1,
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    constraint trigger_kind_ck check (kind in ('webhook'))
);
create unique index trigger_token_uq on trigger (token_hash);
create unique index trigger_node_uq on trigger (flow_id, node_id, kind);
"""

RUNS = """
create table run (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    flow_id uuid not null,
    version_id uuid not null references flow_version (id) on delete cascade,
    status text not null,
    lane text not null default 'normal',
    priority smallint not null default 0,
    trigger text not null,
    trigger_id uuid,
    started_by uuid,
    visitor text not null default '',
    draft boolean not null default false,
    idempotency_key text,
    epoch bigint not null default 0,
    write_seq integer not null default 0,
    owner_worker uuid,
    wake_at timestamptz,
    deadline_at timestamptz,
    dispatched_at timestamptz,
    dispatch_seq integer not null default 0,
    crash_count smallint not null default 0,
    cancel_requested_at timestamptz,
    awaits text[] not null default '{}',
    next_event_seq bigint not null default 1,
    input json not null default 'null',
    output json,
    error json,
    steps json,
    prompt_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    cost_micros bigint not null default 0,
    created_at timestamptz not null default now(),
    queued_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint run_status_ck check (status in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'in_doubt', 'dead')),
    constraint run_lane_ck check (lane in ('express', 'interactive', 'normal', 'quarantine'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
create unique index run_idempotency_uq on run (workspace_id, flow_id, idempotency_key) where idempotency_key is not null;
create index run_queue_ix on run (lane, workspace_id, priority desc, queued_at) where status = 'queued';
create index run_undispatched_ix on run (queued_at) where status = 'queued' and dispatched_at is null;
create index run_wake_ix on run (wake_at) where status = 'waiting' and wake_at is not null;
create index run_owner_ix on run (owner_worker) where status = 'running';
create index run_busy_ix on run (workspace_id) where status = 'running';
create index run_deadline_ix on run (deadline_at) where status in ('queued', 'running', 'waiting') and deadline_at is not null;
create index run_cancel_ix on run (cancel_requested_at)
    where status in ('queued', 'running', 'waiting') and cancel_requested_at is not null;
create index run_workspace_ix on run (workspace_id, created_at desc);
create index run_flow_ix on run (flow_id, created_at desc);
create index run_needs_ix on run (workspace_id) where status in ('waiting', 'in_doubt', 'dead');

create table node_exec (
    run_id uuid not null references run (id) on delete cascade,
    node_id text not null,
    iter_path text not null default '',
    workspace_id uuid not null references workspace (id) on delete cascade,
    status text not null,
    attempt integer not null default 0,
    epoch bigint not null,
    effect_class text not null,
    idem_key text not null,
    output json,
    error json,
    handled boolean not null default false,
    wait json,
    signal json,
    next_at timestamptz,
    ms double precision not null default 0,
    prompt_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    cost_micros bigint not null default 0,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (run_id, node_id, iter_path),
    constraint node_exec_status_ck check (status in
        ('started', 'succeeded', 'backoff', 'failed', 'skipped', 'cancelled', 'waiting', 'in_doubt'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
create unique index node_exec_idem_uq on node_exec (idem_key);
create index node_exec_next_ix on node_exec (next_at) where status = 'backoff';
create index node_exec_workspace_ix on node_exec (workspace_id);

create table node_attempt (
    run_id uuid not null references run (id) on delete cascade,
    node_id text not null,
    iter_path text not null default '',
    attempt integer not null,
    workspace_id uuid not null references workspace (id) on delete cascade,
    seq bigint not null generated always as identity,
    epoch bigint not null,
    worker uuid,
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    ms double precision not null default 0,
    outcome text,
    late boolean not null default false,
    error json,
    prompt_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    cost_micros bigint not null default 0,
    primary key (run_id, node_id, iter_path, attempt)
);

create table run_event (
    run_id uuid not null references run (id) on delete cascade,
    seq bigint not null,
    workspace_id uuid not null references workspace (id) on delete cascade,
    type text not null,
    payload json not null,
    epoch bigint not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    primary key (run_id, seq)
);

create table run_signal (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace (id) on delete cascade,
    run_id uuid not null references run (id) on delete cascade,
    name text not null,
    data json not null default 'null',
    sent_by uuid,
    sender text not null default '',
    dedupe_key text,
    created_at timestamptz not null default clock_timestamp(),
    taken_by text
);
create unique index run_signal_dedupe_uq on run_signal (run_id, name, dedupe_key) where dedupe_key is not null;
create index run_signal_open_ix on run_signal (run_id, created_at) where taken_by is null;

create table run_quota (
    workspace_id uuid primary key references workspace (id) on delete cascade,
    running integer not null default 50,
    queued integer not null default 10000
);
"""

WORKERS = """
create table worker (
    id uuid primary key,
    boot_id uuid not null,
    host text not null,
    pid integer not null,
    version text not null default '',
    capabilities text[] not null default '{}',
    lanes text[] not null default '{}',
    slots integer not null,
    draining boolean not null default false,
    started_at timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp(),
    dead_after interval not null default interval '30 seconds',
    stopped_at timestamptz
) with (fillfactor = 50);
"""

LOOK = "select"
KEEP = "select, insert"
RIGHTS = {
    "flow_version": KEEP,  # immutable: the trigger above refuses what a grant would let through
    "flow_live": "select, insert, update, delete",
    "trigger": "select, insert, update, delete",
    "run": "select, insert, update",
    "node_exec": "select, update",  # update: a person decides a doubt
    "node_attempt": LOOK,
    "run_event": KEEP,
    "run_signal": KEEP,
    "run_quota": LOOK,
}


async def forwards() -> MigrationManager:
    return migration(
        "runs",
        ID,
        "Versions of flows, triggers, and the run ledger.",
        VERSIONS,
        RUNS,
        *(tenant_table(name, app=rights) for name, rights in RIGHTS.items()),
        WORKERS,
        shared_table("worker", app=LOOK),
    )
