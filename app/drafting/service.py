"""What people do with proposals. Every verb takes the actor first."""

import asyncio
from uuid import UUID

import msgspec

from app import events
from app.db import Tx, tenant_tx
from app.drafting import queries
from app.drafting.forms import WishForm
from app.drafting.making import Work, make
from app.drafting.shapes import ProposalView
from app.errors import Conflict, NotAllowed, Refused, TooMany
from app.gateway import queries as gateway
from app.studio import queries as studio
from app.studio import service as flows
from app.studio.service.proposals import difference, take_over
from app.web import Actor
from flows.model import Flow

AT_ONCE = 3
"""Proposals of one workspace that are being made at the same time."""
MOST_STEPS = 200
"""Steps of a flow that is changed by describing: more does not fit into what a model reads with care."""
MOST_BYTES = 200_000
KEPT = 200
"""Proposals kept of a workspace."""
_under_way: dict[UUID, "asyncio.Task[None]"] = {}


class NoModel(Refused):
    """Nothing that can draft is connected. Pages then search the templates instead, and say so."""

    default_code = "no_capable_model"

    def __init__(self) -> None:
        super().__init__(
            "No connected model can draft a flow: the small one on this machine can't.",
            remedy="Connect a model under Connections, or begin with a template.",
        )


async def begin(actor: Actor, form: WishForm, flow_id: UUID | None = None) -> UUID:
    """Start making a proposal: a new flow, or a change of this one. Returns at once; events tell how far it is.

    Raises NotAllowed, NotFound, NoModel, Refused (an unknown model, a flow that is too large) and TooMany.
    """
    _may(actor)
    wish = form.wish.replace("\0", "").strip()
    if not wish:
        raise Refused("Say what you want first.", field="wish")
    able = await gateway.capable(actor)
    before, rev = (Flow(), 0) if flow_id is None else await studio.draft(actor, flow_id)
    if not able:
        raise NoModel
    model = form.model or able[0].id
    if model not in {each.id for each in able}:
        raise Refused("This model can't draft flows, or is not connected.", remedy="Choose another.", field="model")
    _not_too_large(before)
    work = Work(UUID(int=0), actor.workspace_id, flow_id, wish, model, before, [each.id for each in able[:20]])
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("select 1 from workspace where id = $1 for update", actor.workspace_id)
        busy = await tx.fetchval(
            "select count(*) from proposal where status = 'working' and updated_at > now() - $1::interval",
            queries.GIVEN_UP,
        )
        if busy >= AT_ONCE:
            raise TooMany(f"{busy} drafts are being made already.", remedy="Wait for one to end.", retry_after=15)
        made: UUID = await tx.fetchval(
            """insert into proposal (workspace_id, flow_id, wish, model, base_rev, before, created_by)
               values ($1, $2, $3, $4, $5, $6, $7) returning id""",
            actor.workspace_id,
            flow_id,
            wish,
            model,
            rev,
            msgspec.json.encode(before).decode(),
            actor.user_id,
        )
        await tx.execute(
            "delete from proposal where status <> 'working' and id not in"
            " (select id from proposal order by created_at desc limit $1)",
            KEPT,
        )
        await _tell(tx, actor, made)
    task = asyncio.create_task(make(msgspec.structs.replace(work, id=made)))
    _under_way[made] = task
    task.add_done_callback(lambda _: _under_way.pop(made, None))
    return made


async def cancel(actor: Actor, proposal_id: UUID) -> None:
    """Stop making it. What it cost so far was spent. Raises NotFound, and Conflict when it is not being made."""
    _may(actor)
    await _moved(actor, proposal_id, "working", "cancelled", "Stopped.")
    if (task := _under_way.get(proposal_id)) is not None:
        task.cancel()


async def accept(actor: Actor, proposal_id: UUID) -> UUID:
    """Take it over: the flow changes by one edit that can be undone, or a new flow is made. Returns the flow.

    Raises NotFound, and Conflict when it is not ready or the same steps were changed since.
    """
    _may(actor)
    view, before, after = await _documents(actor, proposal_id)
    if view.status == "accepted" and view.made_flow is not None:
        return view.made_flow  # sent twice
    if view.status != "ready" or after is None:
        raise Conflict("This proposal is not ready to be taken over.")
    if view.flow_id is None:
        await _moved(actor, proposal_id, "ready", "accepted")
        made = await flows.create_flow(actor, after.name or view.wish[:60], after, view.said[:500])
    else:
        made = view.flow_id
        async with tenant_tx(actor.workspace_id) as tx:
            base = await tx.fetchval("select base_rev from proposal where id = $1", proposal_id)
        batch = f"draft-{proposal_id.hex}"
        await take_over(actor, made, difference(before, after), base, batch, batch)
        await _moved(actor, proposal_id, "ready", "accepted")
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute("update proposal set made_flow = $2 where id = $1", proposal_id, made)
    return made


async def reject(actor: Actor, proposal_id: UUID) -> None:
    """Throw it away; `bring_back` undoes that. Raises NotFound, Conflict."""
    _may(actor)
    await _moved(actor, proposal_id, "ready", "rejected")


async def bring_back(actor: Actor, proposal_id: UUID) -> None:
    _may(actor)
    await _moved(actor, proposal_id, "rejected", "ready")


async def _documents(actor: Actor, proposal_id: UUID) -> tuple[ProposalView, Flow, Flow | None]:
    view = await queries.proposal(actor, proposal_id)
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select before::text as b, after::text as a from proposal where id = $1", proposal_id)
    before, after = (msgspec.json.decode(row[name], type=Flow) if row[name] is not None else None for name in "ba")
    return view, before or Flow(), after


async def _moved(actor: Actor, proposal_id: UUID, was: str, status: str, said: str = "") -> None:
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select status from proposal where id = $1 for update", proposal_id)
        if row is None:
            await queries.proposal(actor, proposal_id)  # raises NotFound in its words
        elif row["status"] != was:
            raise Conflict(f"This proposal is {row['status']} by now.", remedy="Look at it again.")
        await tx.execute(
            "update proposal set status = $2, said = coalesce(nullif($3, ''), said), updated_at = now() where id = $1",
            proposal_id,
            status,
            said,
        )
        await _tell(tx, actor, proposal_id)


def _not_too_large(flow: Flow) -> None:
    size = len(msgspec.json.encode(flow))
    if len(flow.nodes) > MOST_STEPS or size > MOST_BYTES:
        raise Refused(
            f"This flow has {len(flow.nodes)} steps and {size // 1000:,} kB; at most {MOST_STEPS} steps and "
            f"{MOST_BYTES // 1000} kB are changed by describing.",
            remedy="Make a part of it a flow of its own, and change that.",
            code="flow_too_large",
        )


def _may(actor: Actor) -> None:
    if not actor.can_edit:
        raise NotAllowed("Drafting flows is up to the editors of this workspace.", remedy="Ask an owner.")


async def _tell(tx: Tx, actor: Actor, proposal_id: UUID) -> None:
    await events.publish(tx, actor.workspace_id, "workspace", "proposal.changed", {"proposal": str(proposal_id)})
