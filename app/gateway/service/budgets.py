"""Limits of money. They are checked before each call, by the database (migrations/gateway): this only sets them."""

from uuid import UUID

from app.db import tenant_tx
from app.errors import NotAllowed, NotFound
from app.gateway.directory import offer_local
from app.gateway.forms import BudgetForm
from app.web.actor import Actor


async def set_budget(actor: Actor, form: BudgetForm) -> UUID:
    """Set or change the one limit of this scope, subject and period. What was spent in the period stays counted."""
    _must_own(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await offer_local(actor.workspace_id)
        budget_id: UUID = await tx.fetchval(
            "insert into budget (workspace_id, scope, subject, period, limit_micros) values ($1, $2, $3, $4, $5) "
            "on conflict (workspace_id, scope, subject, period) do update set limit_micros = $5, updated_at = now() "
            "returning id",
            actor.workspace_id,
            form.scope,
            form.subject,
            form.period,
            round(form.limit * 1_000_000),
        )
        return budget_id


async def remove_budget(actor: Actor, budget_id: UUID) -> None:
    """No limit any more. Its counters go with it."""
    _must_own(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        gone = await tx.fetchval("delete from budget where id = $1 returning id", budget_id)
    if gone is None:
        raise NotFound("This limit does not exist any more.")


def _must_own(actor: Actor) -> None:
    if not actor.is_owner:
        raise NotAllowed("Limits are up to the owners of this workspace.", remedy="Ask an owner to change them.")
