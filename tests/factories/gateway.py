"""Budgets, connections and calls, as a workspace has them."""

from uuid import UUID, uuid4

from app.db import tenant_tx
from app.gateway.calls import Target
from app.gateway.ledger import Opening
from app.gateway.prices import Price


async def settings_of(workspace_id: UUID) -> int:
    """The workspace's model settings exist; returns their revision."""
    async with tenant_tx(workspace_id) as tx:
        rev: int = await tx.fetchval(
            "insert into gateway_setting (workspace_id, local_offered) values ($1, true) "
            "on conflict (workspace_id) do update set updated_at = now() returning rev",
            workspace_id,
        )
        return rev


async def a_budget(
    workspace_id: UUID, limit_micros: int, *, scope: str = "workspace", subject: str = "", period: str = "month"
) -> UUID:
    async with tenant_tx(workspace_id) as tx:
        budget_id: UUID = await tx.fetchval(
            "insert into budget (workspace_id, scope, subject, period, limit_micros) values ($1, $2, $3, $4, $5) "
            "returning id",
            workspace_id,
            scope,
            subject,
            period,
            limit_micros,
        )
        return budget_id


def a_target(**what_matters: object) -> Target:
    given = {"slug": "fake", "name": "Fake", "provider": "compatible", "lane": "direct", "model": "fake-small"}
    return Target(**{"price": Price(1_000_000, 2_000_000), **given, **what_matters})  # type: ignore[arg-type]


def an_opening(amount: int = 100, **what_matters: object) -> Opening:
    given = {"call_id": uuid4(), "kind": "chat", "asked": "", "target": a_target(), "seconds": 60}
    return Opening(amount=amount, **{**given, **what_matters})  # type: ignore[arg-type]


async def spending(workspace_id: UUID) -> tuple[int, int]:
    """(spent, held) over all budgets of the workspace, in millionths of a US dollar."""
    async with tenant_tx(workspace_id) as tx:
        row = await tx.fetchrow(
            "select coalesce(sum(spent_micros), 0) s, coalesce(sum(held_micros), 0) h from budget_use"
        )
        return int(row["s"]), int(row["h"])
