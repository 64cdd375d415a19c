"""Connections to models, the workspace's choice of models, budgets, and every model call.

Reserving and settling are functions of the database: each is one round trip, and their locks last no longer than that.
They set the workspace of their own transaction, so row security holds for them as for every statement.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import APP, SYSTEM, migration, tenant_table

ID = "2026-11-21T00:01:gateway"

CONNECTION = """
create table connection (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace(id) on delete cascade,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    provider text not null,
    name text not null check (length(name) between 1 and 80),
    base_url text not null default '' check (length(base_url) <= 500),
    options jsonb not null default '{}',
    -- Sealed by app.vault; key_hint is the last four characters, the only part anybody sees again.
    key_sealed bytea,
    key_hint text not null default '' check (length(key_hint) <= 4),
    -- From the vendor's /v1/models, so that the model picker does not wait for a network.
    models jsonb not null default '[]',
    models_at timestamptz,
    status text not null default 'untried'
        check (status in ('untried', 'ready', 'slow', 'refused', 'unreachable', 'failed')),
    tested jsonb not null default '{}',
    tested_at timestamptz,
    removed_at timestamptz,
    created_by uuid references user_account(id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index connection_slug_uq on connection (workspace_id, slug) where removed_at is null;

create table gateway_setting (
    workspace_id uuid primary key references workspace(id) on delete cascade,
    default_model text not null default '',
    embedding_model text not null default '',
    fallbacks jsonb not null default '[]',
    -- The bundled model is offered once: whoever removes it does not find it again the next day.
    local_offered boolean not null default false,
    -- Grows with every change to connections or settings; processes compare it before each call.
    rev bigint not null default 1,
    updated_at timestamptz not null default now()
);

create function gateway_changed() returns trigger language plpgsql as $body$
begin
    update gateway_setting set rev = rev + 1, updated_at = now()
        where workspace_id = coalesce(new.workspace_id, old.workspace_id);
    return null;
end $body$;
create trigger gateway_changed after insert or delete or update of
    slug, provider, name, base_url, options, key_sealed, models, removed_at on connection
    for each row execute function gateway_changed();
"""

MONEY = """
-- Millionths of a US dollar. subject '' = each flow, run or visitor has this limit of its own.
create table budget (
    id uuid primary key default uuidv7(),
    workspace_id uuid not null references workspace(id) on delete cascade,
    scope text not null check (scope in ('workspace', 'flow', 'run', 'visitor')),
    subject text not null default '' check (length(subject) <= 200),
    period text not null check (period in ('day', 'month', 'total')),
    limit_micros bigint not null check (limit_micros >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index budget_scope_uq on budget (workspace_id, scope, subject, period);

create table budget_use (
    budget_id uuid not null references budget(id) on delete cascade,
    subject text not null,
    period_start date not null,
    workspace_id uuid not null references workspace(id) on delete cascade,
    spent_micros bigint not null default 0,
    held_micros bigint not null default 0,
    primary key (budget_id, subject, period_start)
) with (fillfactor = 70);
create index budget_use_workspace_ix on budget_use (workspace_id);

-- One row a call. It is written before the call, as the reservation, and completed after it; a row that is still
-- 'running' after expires_at lost its process, and its reservation is given back.
create table model_call (
    id uuid primary key,
    workspace_id uuid not null references workspace(id) on delete cascade,
    created_at timestamptz not null default now(),
    kind text not null check (kind in ('chat', 'embed', 'test')),
    connection_id uuid,
    provider text not null,
    model_asked text not null,
    model text not null,
    flow_id uuid,
    run_id uuid,
    node_id text not null default '',
    visitor text not null default '',
    outcome text not null default 'running'
        check (outcome in ('running', 'ok', 'failed', 'cancelled', 'refused', 'lost')),
    fault text not null default '',
    message text not null default '',
    prompt_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    cost_micros bigint not null default 0,
    -- false: the vendor did not say the tokens, they are our count; or nobody knows the price.
    counted boolean not null default true,
    priced boolean not null default true,
    latency_ms integer not null default 0,
    first_token_ms integer,
    held_micros bigint not null default 0,
    held_budgets uuid[] not null default '{}',
    held_subjects text[] not null default '{}',
    held_starts date[] not null default '{}',
    expires_at timestamptz not null
) with (fillfactor = 80);
create index model_call_workspace_ix on model_call (workspace_id, created_at desc);
create index model_call_run_ix on model_call (run_id) where run_id is not null;
create index model_call_open_ix on model_call (expires_at) where outcome = 'running';
"""

RESERVE = """
create function gateway_reserve(
    p_workspace uuid, p_rev bigint, p_call uuid, p_kind text, p_connection uuid, p_provider text, p_asked text,
    p_model text, p_flow uuid, p_run uuid, p_node text, p_visitor text, p_amount bigint, p_seconds integer,
    out verdict text, out rev bigint, out braked boolean, out scope text, out limit_micros bigint, out used_micros bigint
) language plpgsql as $body$
declare
    b record;
    v_subject text;
    v_start date;
    v_used bigint;
    v_now timestamp := now() at time zone 'utc';
    v_budgets uuid[] := '{}';
    v_subjects text[] := '{}';
    v_starts date[] := '{}';
begin
    perform set_config('app.workspace_id', p_workspace::text, true);
    -- A crash of the database server may forget the last reservations: their calls died or are settled without them.
    perform set_config('synchronous_commit', 'off', true);
    select s.rev into gateway_reserve.rev from gateway_setting s where s.workspace_id = p_workspace;
    if gateway_reserve.rev is distinct from p_rev then
        verdict := 'changed';
        return;
    end if;
    verdict := 'held';
    braked := false;
    if p_amount > 0 then
        -- Always in the order of ids: two calls that share budgets wait for each other and never both.
        for b in select * from budget g where g.workspace_id = p_workspace order by g.id loop
            v_subject := case b.scope when 'workspace' then '' when 'flow' then p_flow::text
                when 'run' then p_run::text else p_visitor end;
            continue when b.scope <> 'workspace' and coalesce(v_subject, '') = '';
            continue when b.subject <> '' and b.subject <> v_subject;
            v_start := case b.period when 'day' then v_now::date when 'month' then date_trunc('month', v_now)::date
                else date '2000-01-01' end;
            insert into budget_use (budget_id, subject, period_start, workspace_id)
                values (b.id, v_subject, v_start, p_workspace) on conflict do nothing;
            select u.spent_micros + u.held_micros into v_used from budget_use u
                where u.budget_id = b.id and u.subject = v_subject and u.period_start = v_start for update;
            if v_used + p_amount > b.limit_micros then
                verdict := 'refused';
                scope := b.scope;
                limit_micros := b.limit_micros;
                used_micros := v_used;
                exit;
            end if;
            v_budgets := v_budgets || b.id;
            v_subjects := v_subjects || v_subject;
            v_starts := v_starts || v_start;
        end loop;
        braked := cardinality(v_budgets) > 0;
        if verdict = 'held' then
            for i in 1 .. cardinality(v_budgets) loop
                update budget_use u set held_micros = u.held_micros + p_amount
                    where u.budget_id = v_budgets[i] and u.subject = v_subjects[i] and u.period_start = v_starts[i];
            end loop;
        end if;
    end if;
    insert into model_call (id, workspace_id, kind, connection_id, provider, model_asked, model, flow_id, run_id, node_id,
            visitor, outcome, fault, held_micros, held_budgets, held_subjects, held_starts, expires_at)
        values (p_call, p_workspace, p_kind, p_connection, p_provider, p_asked, p_model, p_flow, p_run, p_node, p_visitor,
            case verdict when 'held' then 'running' else 'refused' end,
            case verdict when 'held' then '' else 'budget' end,
            case when verdict = 'held' and cardinality(v_budgets) > 0 then p_amount else 0 end,
            case verdict when 'held' then v_budgets else '{}' end,
            case verdict when 'held' then v_subjects else '{}' end,
            case verdict when 'held' then v_starts else '{}' end,
            clock_timestamp() + make_interval(secs => p_seconds));
end $body$;
"""

SETTLE = """
create function gateway_settle(
    p_workspace uuid, p_call uuid, p_outcome text, p_fault text, p_message text, p_prompt integer, p_completion integer,
    p_cost bigint, p_counted boolean, p_priced boolean, p_latency integer, p_first integer
) returns boolean language plpgsql as $body$
declare
    c record;
    v_held bigint;
begin
    perform set_config('app.workspace_id', p_workspace::text, true);
    select * into c from model_call m where m.id = p_call and m.outcome in ('running', 'lost') for update;
    if not found then
        return false;
    end if;
    -- A call that was given up for lost and answers after all: its hold is gone, what it cost is counted all the same.
    v_held := case c.outcome when 'running' then c.held_micros else 0 end;
    for i in 1 .. cardinality(c.held_budgets) loop
        update budget_use u set held_micros = greatest(0, u.held_micros - v_held), spent_micros = u.spent_micros + p_cost
            where u.budget_id = c.held_budgets[i] and u.subject = c.held_subjects[i] and u.period_start = c.held_starts[i];
    end loop;
    update model_call m set outcome = p_outcome, fault = p_fault, message = p_message, prompt_tokens = p_prompt,
            completion_tokens = p_completion, cost_micros = p_cost, counted = p_counted, priced = p_priced,
            latency_ms = p_latency, first_token_ms = p_first
        where m.id = p_call;
    return true;
end $body$;

create function gateway_release_expired(p_most integer) returns integer language plpgsql as $body$
declare
    c record;
    v_count integer := 0;
begin
    for c in select * from model_call m where m.outcome = 'running' and m.expires_at < clock_timestamp()
            order by m.expires_at limit p_most for update skip locked loop
        for i in 1 .. cardinality(c.held_budgets) loop
            update budget_use u set held_micros = greatest(0, u.held_micros - c.held_micros)
                where u.budget_id = c.held_budgets[i] and u.subject = c.held_subjects[i]
                    and u.period_start = c.held_starts[i];
        end loop;
        update model_call m set outcome = 'lost' where m.id = c.id;
        v_count := v_count + 1;
    end loop;
    return v_count;
end $body$;
"""

_FUNCTIONS = ("gateway_reserve", "gateway_settle", "gateway_release_expired")
RIGHTS = "\n".join(
    f"revoke execute on function {name} from public; grant execute on function {name} to {APP}, {SYSTEM};"
    for name in _FUNCTIONS
)


async def forwards() -> MigrationManager:
    return migration(
        "gateway",
        ID,
        "Connections, model settings, budgets, model calls.",
        CONNECTION,
        tenant_table("connection"),
        tenant_table("gateway_setting"),
        MONEY,
        tenant_table("budget"),
        tenant_table("budget_use"),
        tenant_table("model_call"),
        RESERVE,
        SETTLE,
        RIGHTS,
    )
