# ruff: noqa: E501 -- SQL keeps its own shape
"""Runs of flows with limits queue in lines of their own, so that a full line is stepped over, however long it is.

`run.line` is '' for all flows without limits, '<flow>' for a flow with one, '<flow>/<hash>' for a key of it. Only runs with
the status 'running' count: a run that waits for a person or the clock holds no place.
"""

from flows.ledger.postgres_sql import TAKEN

LINES = """
select q.workspace_id, l.line, l.flow_id
  from unnest($2::uuid[], $3::text[]) as q (workspace_id, behind)
 cross join lateral (
    with recursive walk as (
        (select r.line, r.flow_id, 1 as nth from run r
          where r.status = 'queued' and r.lane = $1 and r.workspace_id = q.workspace_id and r.line > q.behind
          order by r.line limit 1)
        union all
        select next.line, next.flow_id, walk.nth + 1
          from walk cross join lateral (
            select r.line, r.flow_id from run r
             where r.status = 'queued' and r.lane = $1 and r.workspace_id = q.workspace_id
               and r.line > case when (select count(*) from run b
                                        where b.status = 'running' and b.workspace_id = q.workspace_id
                                          and b.line >= walk.flow_id::text and b.line < walk.flow_id || '0')
                                      >= (select f.running from flow_limit f where f.flow_id = walk.flow_id)
                                 then walk.flow_id || '0' else walk.line end
             order by r.line limit 1) next
         where walk.nth < $4
    )
    select line, flow_id from walk) l
"""
"""Lines that have somebody queued, of each workspace from one on. Of a flow that is full only one is looked at."""

HOLD = "select flow_id from unnest($1::uuid[]) as f (flow_id) where pg_try_advisory_xact_lock(hashtextextended(flow_id::text, 1279872581))"
"""The flows that no other worker claims from at this moment. Held to the commit: so a limit is never passed."""

CHOSEN = """
with busy as materialized (
    select w.workspace_id, coalesce(quota.running, 50) / case when $4 = 'bulk' and coalesce(quota.running, 50) > 1 then 2 else 1 end as most,
           (select count(*) from run b where b.status = 'running' and b.workspace_id = w.workspace_id) as running
      from (select distinct unnest($1::uuid[]) as workspace_id) w left join run_quota quota using (workspace_id)
), lines as materialized (
    select q.*, busy.most, busy.running,
           coalesce(f.running - (select count(*) from run b
                                  where b.status = 'running' and b.workspace_id = q.workspace_id
                                    and b.line >= q.flow_id::text and b.line < q.flow_id || '0'), $5) as of_flow,
           coalesce(f.per_key - (select count(*) from run b
                                  where b.status = 'running' and b.workspace_id = q.workspace_id and b.line = q.line
                                    and q.line <> q.flow_id::text), $5) as of_key
      from unnest($1::uuid[], $2::text[], $3::uuid[]) as q (workspace_id, line, flow_id)
      join busy using (workspace_id) left join flow_limit f using (flow_id)
), found as (
    select lines.workspace_id, lines.most, lines.running, lines.of_flow, c.*,
           row_number() over (partition by lines.flow_id order by c.priority desc, c.queued_at) as of_flow_nth
      from lines cross join lateral (
        select id, priority, queued_at from run
         where status = 'queued' and lane = $4 and workspace_id = lines.workspace_id and line = lines.line and ($7::text is null or (
            select (select $7::jsonb) @> v.node_versions or not exists (
                select from jsonb_each_text(v.node_versions) needed
                 where coalesce(((select $7::jsonb) ->> needed.key)::int, 0) < needed.value::int)
              from flow_version v where v.id = run.version_id))
         order by priority desc, queued_at
         limit greatest(least(lines.of_flow, lines.of_key, lines.most - lines.running, $5), 0)) c
), ranked as (
    select *, row_number() over (partition by workspace_id order by priority desc, queued_at) as nth
      from found where of_flow_nth <= of_flow
), mine as (
    select r.id from run r join ranked using (id)
     where r.status = 'queued' and ranked.running + ranked.nth <= ranked.most
     order by (ranked.running + ranked.nth)::float8 / ranked.most, ranked.priority desc, ranked.queued_at
     limit $5 for update of r skip locked
)
"""
CLAIM_LINES = CHOSEN + TAKEN.format(worker=6)
"""As CLAIM, for these lines. The count is strict: it is made after HOLD, in a snapshot of its own."""
