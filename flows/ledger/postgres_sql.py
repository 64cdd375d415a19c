# ruff: noqa: E501 -- SQL keeps its own shape
"""The SQL of the ledger. Leases and due times are compared inside PostgreSQL with clock_timestamp(), never with a worker's clock.

Every row written for a run takes its workspace_id from the run's own row in the same statement, never from the caller.
"""

WRITE = """
with w as (
    select * from unnest($1::uuid[], $2::bigint[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::float8[],
                         $9::text[], $10::int[], $11::int[], $12::bigint[])
        as w (run_id, epoch, seq, n_events, status, output, fault, wake_in, awaits, prompt, completion, cost)
), live as (
    select r.id, r.workspace_id, r.epoch, r.owner_worker, r.next_event_seq, r.lane
      from run r join w on w.run_id = r.id
     where r.epoch = w.epoch and r.write_seq = w.seq - 1 and r.status = 'running'
       for update of r
), steps as (
    insert into node_exec as n (
        run_id, node_id, iter_path, workspace_id, status, attempt, epoch, effect_class, idem_key, output, error, handled,
        next_at, wait, signal, ms, prompt_tokens, completion_tokens, cost_micros, started_at, finished_at, kept)
    select s.run_id, s.node, s.iter, live.workspace_id, s.status, s.attempt, live.epoch, s.effect, s.idem, s.output::json,
           s.fault::json, s.handled, coalesce(s.until, clock_timestamp() + s.next_in * interval '1 second'), s.wait::json,
           s.signal::json, s.ms, s.prompt, s.completion, s.cost,
           coalesce(to_timestamp(nullif(s.started_at, 0)), clock_timestamp()),
           case when s.status in ('succeeded', 'failed', 'skipped', 'cancelled') then clock_timestamp() end, s.kept
      from unnest($13::uuid[], $14::text[], $15::text[], $16::text[], $17::int[], $18::text[], $19::text[], $20::text[],
                  $21::text[], $22::bool[], $23::float8[], $24::timestamptz[], $25::text[], $26::text[], $27::float8[],
                  $28::int[], $29::int[], $30::bigint[], $31::float8[], $48::bool[])
           as s (run_id, node, iter, status, attempt, effect, idem, output, fault, handled, next_in, until, wait, signal, ms,
                 prompt, completion, cost, started_at, kept)
      join live on live.id = s.run_id
    on conflict (run_id, node_id, iter_path) do update set
        status = excluded.status, attempt = excluded.attempt, epoch = excluded.epoch, effect_class = excluded.effect_class,
        output = excluded.output, error = excluded.error, handled = excluded.handled, next_at = excluded.next_at,
        wait = excluded.wait, signal = coalesce(excluded.signal, n.signal), ms = excluded.ms,
        prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens,
        cost_micros = excluded.cost_micros, started_at = least(n.started_at, excluded.started_at),
        finished_at = excluded.finished_at, kept = excluded.kept
), attempts as (
    insert into node_attempt (run_id, node_id, iter_path, attempt, workspace_id, epoch, worker, started_at, ended_at, ms,
                              outcome, error, prompt_tokens, completion_tokens, cost_micros)
    select a.run_id, a.node, a.iter, a.attempt, live.workspace_id, live.epoch, live.owner_worker,
           coalesce(to_timestamp(nullif(a.started_at, 0)), clock_timestamp()),
           case when a.outcome is not null then clock_timestamp() end, a.ms, a.outcome, a.fault::json, a.prompt, a.completion,
           a.cost
      from unnest($32::uuid[], $33::text[], $34::text[], $35::int[], $36::text[], $37::text[], $38::float8[], $39::int[],
                  $40::int[], $41::bigint[], $42::float8[])
           as a (run_id, node, iter, attempt, outcome, fault, ms, prompt, completion, cost, started_at)
      join live on live.id = a.run_id
    on conflict (run_id, node_id, iter_path, attempt) do update set
        ended_at = excluded.ended_at, ms = excluded.ms, outcome = excluded.outcome, error = excluded.error,
        prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens,
        cost_micros = excluded.cost_micros
), log as (
    insert into run_event (run_id, seq, workspace_id, type, payload, epoch)
    select e.run_id, live.next_event_seq + e.nth, live.workspace_id, e.type, e.payload::json, live.epoch
      from unnest($43::uuid[], $44::int[], $45::text[], $46::text[]) as e (run_id, nth, type, payload)
      join live on live.id = e.run_id
), taken as (
    update run_signal g set taken_by = live.epoch::text from live where g.run_id = live.id and g.id = any ($47::uuid[])
)
update run r set
    write_seq = w.seq,
    crash_count = case when m.progress then 0 else r.crash_count end,
    idle_crashes = case when m.progress then 0 else r.idle_crashes end,
    lane = case when m.cleared then 'normal' else r.lane end,
    next_event_seq = r.next_event_seq + w.n_events,
    prompt_tokens = greatest(r.prompt_tokens, w.prompt),
    completion_tokens = greatest(r.completion_tokens, w.completion),
    cost_micros = greatest(r.cost_micros, w.cost),
    output = coalesce(w.output::json, r.output),
    error = coalesce(w.fault::json, r.error),
    status = m.status,
    owner_worker = case when m.status = 'running' then r.owner_worker end,
    wake_at = case when m.status = 'waiting' then clock_timestamp() + w.wake_in * interval '1 second' end,
    awaits = case when m.status = 'waiting' then string_to_array(w.awaits, chr(31)) else r.awaits end,
    queued_at = case when m.status = 'queued' then clock_timestamp() else r.queued_at end,
    dispatched_at = case when m.status = 'queued' then null else r.dispatched_at end,
    finished_at = case when m.status in ('succeeded', 'failed', 'cancelled') then clock_timestamp() end
from w
join live on live.id = w.run_id
cross join lateral (
    select case
        when w.status is null then 'running'
        when w.status = 'waiting' and exists (
            select from run_signal g
             where g.run_id = w.run_id and g.taken_by is null
               and g.name || case when g.step = '' then '' else chr(30) || g.step end = any (string_to_array(w.awaits, chr(31)))
               and not g.id = any ($47::uuid[])
        ) then 'queued'
        else w.status
    end as status,
    exists (select from unnest($13::uuid[], $16::text[]) as p (run_id, status)
             where p.run_id = w.run_id and p.status = 'succeeded') as progress,
    live.lane = 'quarantine' and exists (
        select from node_exec n join unnest($13::uuid[], $14::text[], $15::text[], $16::text[]) as p (run_id, node, iter, status)
            on p.run_id = n.run_id and p.node = n.node_id and p.iter = n.iter_path
         where n.run_id = w.run_id and n.status = 'started' and p.status = 'succeeded'
    ) and not exists (
        select from node_exec n
         where n.run_id = w.run_id and n.status = 'started' and not exists (
             select from unnest($13::uuid[], $14::text[], $15::text[], $16::text[]) as p (run_id, node, iter, status)
              where p.run_id = n.run_id and p.node = n.node_id and p.iter = n.iter_path and p.status <> 'started')
    ) as cleared
) m
where r.id = w.run_id
returning r.id, r.status, r.lane, r.next_event_seq - w.n_events as first_seq, r.cancel_requested_at is not null as cancel,
          m.cleared
"""
"""One batch of writes, at most one per run. Rows come back only for runs that are still the writer's.

`write_seq` counts the writes of a claim: the same write sent again (the answer to the first was lost) is not applied twice.
`crash_count` counts crashes since the run last got on: who finishes a step between two crashes is a victim, not the cause.
`cleared`: every step that was under way in quarantine has ended there, so the run goes back to where the others are.
"""

LOCK = "select from run where id = any ($1::uuid[]) order by id for update"
"""Before a write that puts a run to sleep: a signal being stored holds the run's row, and WRITE must see it (its snapshot is
taken after this)."""

SLEEPER_CANCELLED = """
update run set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
 where id = any ($1::uuid[]) and status = 'waiting' and cancel_requested_at is not null returning lane
"""

APPLIED = "select id, status, lane, next_event_seq from run where id = $1::uuid and epoch = $2 and write_seq >= $3"

LATE = """
with late as (
    select r.id, r.status from run r
     where r.id = $1::uuid and r.status in ('queued', 'waiting', 'in_doubt') and r.epoch > $2 for update
), step as (
    update node_exec n set status = $6, output = $7::json, error = $8::json, handled = $9, ms = $10, prompt_tokens = $11,
           completion_tokens = $12, cost_micros = $13,
           next_at = clock_timestamp() + $14::float8 * interval '1 second',
           finished_at = case when $6 in ('succeeded', 'failed') then clock_timestamp() end
      from late
     where n.run_id = late.id and n.node_id = $3 and n.iter_path = $4 and n.attempt = $5
       and n.status in ('started', 'in_doubt')
    returning n.run_id
), attempt as (
    update node_attempt a set ended_at = clock_timestamp(), outcome = $6, error = $8::json, ms = $10, prompt_tokens = $11,
           completion_tokens = $12, cost_micros = $13, late = true
      from step
     where a.run_id = step.run_id and a.node_id = $3 and a.iter_path = $4 and a.attempt = $5
)
update run r set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null, error = null,
       prompt_tokens = r.prompt_tokens + $11, completion_tokens = r.completion_tokens + $12, cost_micros = r.cost_micros + $13
  from step where r.id = step.run_id
returning r.id, r.lane
"""
"""The late-outcome rule: the result of attempt N counts as long as nobody claimed the run since, nor decided the doubt."""

RUN = """
select r.id, r.workspace_id, r.flow_id, r.version_id, r.trigger, r.input, r.output, r.error, r.status, r.draft, r.lane,
       r.cancel_requested_at is not null as cancel, r.crash_count, r.epoch, r.started_by, r.trigger_id, r.afresh, r.breaks,
       (select q.value_bytes from run_quota q where q.workspace_id = r.workspace_id) as value_bytes,
       (select s.vars from variable_set s where s.id = r.variables_id) as vars,
       extract(epoch from r.deadline_at - clock_timestamp())::float8 as deadline_in,
       exists (select from run_signal g where g.run_id = r.id and g.taken_by is null) as has_signals,
       used.prompt, used.completion, used.cost,
       (select coalesce(sum(s.size), 0)::bigint from run_value v join stored_value s using (workspace_id, hash)
         where v.run_id = r.id) as stored_bytes,
       (select coalesce(sum(n.attempt - 1), 0)::bigint from node_exec n where n.run_id = r.id and n.attempt > 1) as repeats
  from run r cross join lateral (
       select coalesce(sum(a.prompt_tokens), 0)::int as prompt, coalesce(sum(a.completion_tokens), 0)::int as completion,
              coalesce(sum(a.cost_micros), 0)::bigint as cost
         from node_attempt a where a.run_id = r.id) used
 where r.id = $1::uuid and r.epoch = $2 and r.status = 'running'
"""

STEP = """
select node_id, iter_path, status, attempt, effect_class, output, error, handled, wait, signal, prompt_tokens,
       completion_tokens, cost_micros, edits, extract(epoch from next_at - clock_timestamp())::float8 as next_in
  from node_exec where run_id = $1::uuid
"""
STEPS = (
    STEP
    + """
   and (iter_path = '' or status not in ('succeeded', 'failed', 'skipped', 'cancelled') or effect_class = 'undo')
 order by started_at, node_id, iter_path
"""
)
ROUNDS = STEP + " and iter_path <> '' and iter_path = any ($2)"
"""Uses node_exec_round_ix: rounds are asked for some hundreds at a time."""

SIGNALS = "select id, name, data, sender, step from run_signal where run_id = $1::uuid and taken_by is null order by created_at, id"

QUEUES = """
with recursive walk as (
    (select workspace_id from run where status = 'queued' and lane = $1 and workspace_id > $2 order by workspace_id limit 1)
    union all
    select (select r.workspace_id from run r
             where r.status = 'queued' and r.lane = $1 and r.workspace_id > walk.workspace_id
             order by r.workspace_id limit 1)
      from walk where walk.workspace_id is not null
)
select q.workspace_id, coalesce((
    select true from run where status = 'queued' and lane = $1 and workspace_id = q.workspace_id and line > '' limit 1), false) as lined
  from (select workspace_id from walk where workspace_id is not null limit $3) q
"""
"""Workspaces that have something queued, from one on: two index probes for each, however many runs they have queued.

`lined`: some of it is of flows with limits (postgres_lines.py). `limit 1`: else `exists` is planned as one look through all."""

CHOSEN = """
with busy as materialized (
    select q.workspace_id, coalesce(quota.running, 50) / case when $2 = 'bulk' and coalesce(quota.running, 50) > 1 then 2 else 1 end as most,
           (select count(*) from run b where b.status = 'running' and b.workspace_id = q.workspace_id) as running
      from unnest($1::uuid[]) as q (workspace_id) left join run_quota quota using (workspace_id)
), free as materialized (
    select *, least(most - running, ceil(2.0 * $3 / count(*) over ())) as here from busy where running < most
), ranked as (
    select c.id, (free.running + c.nth)::float8 / free.most as share, c.priority, c.queued_at
      from free cross join lateral (
        select x.id, x.priority, x.queued_at, row_number() over (order by x.priority desc, x.queued_at) as nth
          from (select id, priority, queued_at from run
                 where status = 'queued' and lane = $2 and workspace_id = free.workspace_id and line = '' and ($5::text is null or (
                    select (select $5::jsonb) @> v.node_versions or not exists (
                        select from jsonb_each_text(v.node_versions) needed
                         where coalesce(((select $5::jsonb) ->> needed.key)::int, 0) < needed.value::int)
                      from flow_version v where v.id = run.version_id))
                 order by priority desc, queued_at limit free.here) x
      ) c
     order by share, c.priority desc, c.queued_at limit 2 * $3
), mine as (
    select r.id from run r join ranked using (id)
     where r.status = 'queued' order by ranked.share, ranked.priority desc, ranked.queued_at
     limit $3 for update of r skip locked
)
"""
"""Only what this worker can carry out ($5: the version of each node type it has): a worker without a package leaves such
runs to the others, so a rolling deploy never ends one. `(select $5::jsonb)` is read once; without the select it is
read again for every row looked at, 1.5 ms in a claim of 50.

Fair: the workspace that uses the smallest share of its limit comes first, so 100,000 queued runs of one delay nobody else.
Of each workspace only its part of twice what is wanted is looked at: 2 × $3 rows in all, however many are queued, with room
for those that another worker takes at this moment. `materialized`: else what runs is counted again for every row.

Of the lane bulk something begins only while its workspace uses less than half of its limit: the other half is there for what
comes while 10,000 of them are queued.

Two workers that claim at the same moment may together exceed a workspace's limit by what one of them takes; it evens out with
the next claim. A strict count would make every claim wait for the one before.
"""

TAKEN = """
update run r set status = 'running', epoch = r.epoch + 1, write_seq = 0, owner_worker = ${worker}, wake_at = null, awaits = '{{}}',
       started_at = coalesce(r.started_at, clock_timestamp())
  from mine where r.id = mine.id
returning r.id, r.workspace_id, r.flow_id, r.version_id, r.trigger, r.input, r.output, r.error, r.status, r.draft, r.lane,
       r.cancel_requested_at is not null as cancel, r.crash_count, r.epoch, r.line, r.started_by, r.trigger_id, r.afresh,
       (select q.value_bytes from run_quota q where q.workspace_id = r.workspace_id) as value_bytes,
       (select s.vars from variable_set s where s.id = r.variables_id) as vars,
       extract(epoch from r.deadline_at - clock_timestamp())::float8 as deadline_in,
       exists (select from run_signal g where g.run_id = r.id and g.taken_by is null) as has_signals
"""
CLAIM = CHOSEN + TAKEN.format(worker=4)

WAKE_DUE = """
with due as (
    select id from run where status = 'waiting' and wake_at <= clock_timestamp() order by wake_at limit 2000
    for update skip locked
)
update run r set status = 'queued', queued_at = clock_timestamp(), dispatched_at = null, wake_at = null
  from due where r.id = due.id returning r.lane
"""

HAND_BACK = """
with back as (
    update run r set status = 'queued', owner_worker = null, queued_at = r.queued_at, dispatched_at = null
      from unnest($1::uuid[], $2::bigint[]) as b (run_id, epoch)
     where r.id = b.run_id and r.epoch = b.epoch and r.status = 'running'
    returning r.id, r.lane
)
select id, lane from back
"""
"""A drained worker gives back what it could not finish. The next claim raises the epoch; nobody is blamed for a crash."""
