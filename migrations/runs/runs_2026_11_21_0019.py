"""Triggers of environments: one row per start step and environment, each with a switch, a pace and a log of its own."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration

ID = "2026-11-21T00:19:runs"

TRIGGER = """
-- null = of what is live
alter table trigger add column environment_id uuid references environment (id) on delete cascade;
drop index trigger_node_uq;
create unique index trigger_node_uq on trigger (flow_id, node_id, kind, environment_id) nulls not distinct;
create index trigger_environment_ix on trigger (environment_id) where environment_id is not null;
"""

RUNNING = """
-- What each place runs of a flow: live (environment_id null) and every environment. Row security is the reader's.
create view flow_running with (security_invoker = true) as
    select flow_id, workspace_id, null::uuid as environment_id, version_id, updated_at from flow_live
     union all
    select flow_id, workspace_id, environment_id, staged_id, updated_at from flow_stage;
grant select on flow_running to agentbase_app, agentbase_system;
"""

HOOKS = """
-- The addresses of webhooks in environments have been there before; they get their rows, under the same ids.
insert into trigger (id, workspace_id, flow_id, node_id, kind, environment_id, enabled)
select id, workspace_id, flow_id, node_id, 'webhook', environment_id, enabled from stage_address;
"""


async def forwards() -> MigrationManager:
    return migration("runs", ID, "trigger.environment_id, flow_running", TRIGGER, RUNNING, HOOKS)
