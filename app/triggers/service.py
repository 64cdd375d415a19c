"""What people do with triggers: switch them, fire them by hand."""

from typing import Any
from uuid import UUID, uuid4

from app.db import Tx, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused
from app.events import publish
from app.runs import service as runs
from app.triggers import plans
from app.triggers.firing import Fired, Trigger, fire
from app.triggers.forms import PaceForm
from app.triggers.samples import sample
from app.web.actor import Actor
from flows.expressions import ExpressionError, expression

GONE = "This trigger does not exist."
BY_VISITORS = frozenset({"chat", "form", "api"})
"""These have no switch of their own: taking the page off the site, or the key away, is their switch."""
FOUND = """
select t.*, l.version_id as live, p.rule,
       (select count(*) from trigger o where o.flow_id = t.flow_id and o.kind = t.kind and o.enabled
           and o.environment_id is not distinct from t.environment_id) as alike
  from trigger t left join flow_running l on l.flow_id = t.flow_id
       and l.environment_id is not distinct from t.environment_id
  left join trigger_plan p on p.trigger_id = t.id
 where t.id = $1 and t.enabled
"""

SET_PACE = """
insert into trigger_pace (trigger_id, workspace_id, mode, seconds, key, take, longest, most, over)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (trigger_id) do update set mode = excluded.mode, seconds = excluded.seconds, key = excluded.key,
    take = excluded.take, longest = excluded.longest, most = excluded.most, over = excluded.over
"""


async def switch(actor: Actor, trigger_id: UUID, *, on: bool) -> None:
    """Let a trigger fire, or not. Switched on, it begins anew: what would have fired meanwhile is not made up for.

    Raises NotFound, and Conflict for a kind that has no switch.
    """
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await found(tx, trigger_id)
        if row["kind"] in BY_VISITORS:
            raise Conflict("This trigger has no switch of its own.", remedy="Take the page off the site, or the key.")
        if row["paused"] is not on:
            return
        await tx.execute("update trigger set paused = $2 where id = $1", trigger_id, not on)
        await plans.from_now(tx, trigger_id)
        told = {"trigger": str(trigger_id), "flow": str(row["flow_id"]), "by": actor.name}
        kind = "trigger.switched_on" if on else "trigger.switched_off"
        await publish(tx, actor.workspace_id, "workspace", kind, told)


async def new_address(actor: Actor, trigger_id: UUID) -> None:
    """Another token: the address that was known until now leads nowhere. Raises NotFound, Conflict without one."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await found(tx, trigger_id)
        if row["token_hash"] is None:
            raise Conflict("This trigger has no address.")
        proof = runs.address_proof(trigger_id, row["token_round"] + 1, row["kind"])
        await tx.execute(
            "update trigger set token_round = token_round + 1, token_hash = $2 where id = $1", trigger_id, proof
        )
        told = {"trigger": str(trigger_id), "flow": str(row["flow_id"]), "by": actor.name}
        await publish(tx, actor.workspace_id, "workspace", "trigger.address_changed", told)


async def fire_now(actor: Actor, trigger_id: UUID) -> Fired:
    """Start the live version as this trigger would, with sample data. Works while it is switched off, too."""
    may_change(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await found(tx, trigger_id)
        if row["live"] is None:
            raise Conflict("The flow of this trigger is not published.", remedy="Publish it, then fire it.")
        trigger = Trigger(
            trigger_id, actor.workspace_id, row["flow_id"], row["node_id"], row["kind"], row["live"], row["alike"]
        )
        by = f"Fired by hand, by {actor.name or actor.email}."
        given = sample(row["kind"], plans.stored_settings(row["kind"], row["rule"] or "{}"))
        done = await fire(tx, trigger, f"hand {uuid4()}", given, reason=by, by_hand=True)
    if done is None:
        raise Conflict("This firing was there already.")
    await runs.nudge("normal")
    return done


async def set_pace(actor: Actor, trigger_id: UUID, form: PaceForm) -> None:
    """How often this trigger may start something. What is held keeps its moment.

    Raises NotFound, Conflict for a kind that visitors start, Refused for a key that can't be read, or reads a
    variable that is not there.
    """
    may_change(actor)
    try:
        expression(form.key.strip())
    except ExpressionError as error:
        raise Refused(str(error), field="key") from None
    async with tenant_tx(actor.workspace_id) as tx:
        row = await found(tx, trigger_id)
        if row["kind"] in BY_VISITORS:
            raise Conflict("Somebody waits for the answer of this trigger: it has no pace.")
        await runs.known_in_key(tx, form.key, actor.workspace_id, row["environment_id"])
        if form.mode == "none":
            await tx.execute("delete from trigger_pace where trigger_id = $1", trigger_id)
        else:
            await tx.execute(
                SET_PACE, trigger_id, actor.workspace_id, form.mode, form.seconds, form.key.strip(), form.take,
                form.longest, form.most, form.over,
            )  # fmt: skip
        await tx.execute("update trigger set paced = $2 where id = $1", trigger_id, form.mode != "none")
        told = {"trigger": str(trigger_id), "flow": str(row["flow_id"]), "by": actor.name, "mode": form.mode}
        await publish(tx, actor.workspace_id, "workspace", "trigger.paced", told)


async def found(tx: Tx, trigger_id: UUID) -> Any:
    """The trigger's row with what belongs to it. Raises NotFound; row security hides those of others."""
    row = await tx.fetchrow(FOUND, trigger_id)
    if row is None:
        raise NotFound(GONE, remedy="Look for it in the list of triggers.")
    return row


def may_change(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("You can look at triggers, not change them.", remedy="Ask an owner to make you an editor.")


__all__ = ["Fired", "fire_now", "found", "may_change", "new_address", "set_pace", "switch"]
