"""A run taken up in the editor: as far as a step, a step by itself, or from a step on; always the draft as it is now.

What comes before a step that is run by itself or from which a run goes on is taken over from the record of that run:
it is not called again (app/runs/replays.py). The origin may be any run of the flow, one of production as well; the new
one is a try.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from app.db import tenant_tx
from app.errors import DomainError, Refused
from app.runs import service
from app.studio import breakpoints, pins
from app.studio.service import store
from app.studio.service.versions import ready
from app.studio.tries_cut import upto
from app.web import Actor
from flows.breaks import Breaks

Event = dict[str, Any]


class AgainForm(Struct, forbid_unknown_fields=True):
    """`how`: "here" = from the start as far as `step`; "only" = `step` alone; "from" = `step` and all after it.

    `edits`: values by input port of the step, in the place of what arrived there ("only" and "from").
    """

    how: Literal["here", "only", "from"]
    step: Annotated[str, Meta(min_length=1, max_length=64)]
    edits: dict[str, Any] = field(default_factory=dict)


async def again(actor: Actor, flow_id: UUID, run_id: UUID, form: AgainForm) -> UUID:
    """Start it; returns the new run's id.

    Raises NotFound, NotReady when this part of the draft can't run, Conflict while the run goes on, and Refused naming
    the step when something before it has no outcome, or is another step by now.
    """
    here = form.how == "here"
    draft = await frozen(actor, flow_id, "" if form.how == "from" else form.step, called="" if here else form.step)
    if here:
        return await service.resume(actor, run_id, draft.version_id, pinned=draft.pinned, breaks=draft.breaks)
    return await service.resume(
        actor, run_id, draft.version_id, from_step=form.step, edits=form.edits, pinned=draft.pinned, breaks=draft.breaks
    )


class Frozen(Struct, frozen=True):
    """A draft as a version that can run, the outputs (JSON text) of steps that are not called, and where it pauses."""

    version_id: UUID
    pinned: dict[str, str]
    breaks: Breaks | None = None


async def frozen(actor: Actor, flow_id: UUID, step: str = "", *, called: str = "") -> Frozen:
    """The draft, whole or as far as a step. `called`: a step that is called although it is pinned.

    Raises NotFound, NotReady, Refused.
    """
    async with tenant_tx(actor.workspace_id) as tx:
        draft = await store.locked(flow_id)
        if step and all(node.id != step for node in draft.flow.nodes):
            raise Refused("This step was deleted.", remedy="Choose another step.", field="step")
        flow = upto(draft.flow, step) if step else draft.flow
        ready(flow)
        pinned = await pins.given(tx, flow_id, flow, besides=called)
        version_id = await service.save_version(tx, actor.workspace_id, flow_id, flow, "", actor.user_id, kind="draft")
    return Frozen(version_id, pinned, await breakpoints.breaks(actor, flow_id, flow))


async def told(actor: Actor, run_id: UUID) -> AsyncIterator[Event]:
    """The run's events as they come; what fails on the way is told as run.failed."""
    try:
        async for event in service.follow(actor, run_id):
            yield event
    except DomainError as problem:
        yield {"type": "run.failed", "run": str(run_id), "error": str(problem)}
