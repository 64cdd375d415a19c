"""How far each person is with the tour."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import migration, tenant_table

ID = "2026-11-21T00:00:07:studio"

TOUR = """
create table studio_tour (
    workspace_id uuid not null references workspace (id) on delete cascade,
    user_id uuid not null,
    flow_id uuid references flow (id) on delete set null,
    state text not null,
    at timestamptz not null default now(),
    primary key (workspace_id, user_id),
    constraint studio_tour_state_ck check (state in ('running', 'skipped', 'done'))
);
"""


async def forwards() -> MigrationManager:
    return migration("studio", ID, "studio_tour", TOUR + tenant_table("studio.studio_tour"))
