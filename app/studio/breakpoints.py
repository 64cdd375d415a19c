"""Breakpoints: steps before which a person's own tries of a draft pause. They lie beside the flow, not in it, and are
nobody else's: a published version never has any, and neither has a copy or an export.
"""

from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.db import tenant_tx
from app.errors import Refused
from app.runs import queries as runs
from app.runs import service
from app.runs.service import GoOnForm
from app.studio import queries
from app.web import Actor
from flows import catalogue
from flows.breaks import Breaks, How
from flows.model import Flow, NodeUse

MOST = 200
"""Breakpoints of one person in one flow."""
OF = "select node_id, rounds from flow_break where flow_id = $1 and user_id = $2 order by node_id"
SET = """
insert into flow_break (workspace_id, flow_id, user_id, node_id, rounds)
select $1::uuid, $2::uuid, $3::uuid, $4::text, $5::text
 where (select count(*) from flow_break where flow_id = $2 and user_id = $3 and node_id <> $4) < $6
on conflict (flow_id, user_id, node_id) do update set rounds = excluded.rounds, at = now()
returning node_id
"""


class BreakForm(Struct, forbid_unknown_fields=True):
    """`rounds`: of a step in a container, "each" = every round pauses, "first" = the one that comes first."""

    rounds: Literal["each", "first"] = "each"


class Breakpoint(Struct, frozen=True):
    node: str
    rounds: How


async def breakpoints(actor: Actor, flow_id: UUID) -> list[Breakpoint]:
    """The person's own, of steps that are still there. 3 statements. Raises NotFound."""
    flow, _ = await queries.draft(actor, flow_id)
    found = await at(actor, flow_id)
    return [Breakpoint(use.id, found[use.id]) for use in flow.nodes if use.id in found]


async def at(actor: Actor, flow_id: UUID) -> dict[str, How]:
    """Step → how. 1 statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        rows: list[Any] = await tx.fetch(OF, flow_id, actor.user_id)
    return {row["node_id"]: row["rounds"] for row in rows}


async def breaks(actor: Actor, flow_id: UUID, flow: Flow) -> Breaks | None:
    """Where a try of this document pauses; None: nowhere."""
    found = await at(actor, flow_id)
    there = {use.id: found[use.id] for use in flow.nodes if use.id in found and not use.disabled}
    return Breaks(there) if there else None


async def set(actor: Actor, flow_id: UUID, node_id: str, form: BreakForm) -> Breakpoint:
    """Pause before this step. Raises NotFound, and Refused for a step that can't be paused at."""
    flow, _ = await queries.draft(actor, flow_id)
    if words := why_not(queries.step(flow, node_id)):
        raise Refused(words, remedy="Pause before the step that comes next.", field="step")
    async with tenant_tx(actor.workspace_id) as tx:
        made = await tx.fetchval(SET, actor.workspace_id, flow_id, actor.user_id, node_id, form.rounds, MOST)
    if made is None:
        raise Refused(f"A flow has at most {MOST} breakpoints of one person.", remedy="Take some away.", field="step")
    return Breakpoint(node_id, form.rounds)


async def clear(actor: Actor, flow_id: UUID, node_id: str) -> Breakpoint | None:
    """No pause before this step. Gives what was there, so that it can be put back. Raises NotFound."""
    await queries.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        was = await tx.fetchval(
            "delete from flow_break where flow_id = $1 and user_id = $2 and node_id = $3 returning rounds",
            flow_id, actor.user_id, node_id,
        )  # fmt: skip
    return Breakpoint(node_id, was) if was is not None else None


async def clear_all(actor: Actor, flow_id: UUID) -> list[Breakpoint]:
    """Take all of the person's own away. Gives what was there. Raises NotFound."""
    await queries.there(actor, flow_id)
    async with tenant_tx(actor.workspace_id) as tx:
        rows: list[Any] = await tx.fetch(
            "delete from flow_break where flow_id = $1 and user_id = $2 returning node_id, rounds",
            flow_id, actor.user_id,
        )  # fmt: skip
    return [Breakpoint(row["node_id"], row["rounds"]) for row in rows]


async def go_on(actor: Actor, flow_id: UUID, run_id: UUID, form: GoOnForm) -> None:
    """End a pause; the run stops at the breakpoints the person has by now. Raises what `service.go_on` raises."""
    await runs.of_flow(actor, run_id, flow_id)
    await service.go_on(actor, run_id, form, at=await at(actor, flow_id))


def why_not(use: NodeUse) -> str:
    """Why no run can pause before this step; "" when one can."""
    kind = catalogue.load().get(use.type)
    if kind is None or kind.family == "note":
        return "This is no step that runs."
    if kind.trigger is not None:
        return "A start step is where the run begins: nothing goes into it."
    if kind.undo:
        return "An Undo step only remembers what to take back."
    return ""
