"""The tour that builds a first flow with a person's own clicks: how far somebody is with it. Told step by step in the
browser (static/src/canvas/tour.js), which reads the flow itself; kept here is only whether it goes on, and where.
"""

from typing import Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import Struct

from app.db import tenant_tx
from app.errors import NotAllowed
from app.studio import queries, service
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import go

State = Literal["", "running", "skipped", "done"]
NAME = "My first flow"


class TourForm(Struct, forbid_unknown_fields=True):
    """`flow`: on whose canvas it runs."""

    state: Literal["running", "skipped", "done"]
    flow: UUID


class Tour(Struct, frozen=True):
    """`state` "": never offered. `here`: it runs on the flow that was asked about."""

    state: State
    here: bool = False


async def tour_of(actor: Actor, flow_id: UUID) -> Tour:
    """One statement."""
    async with tenant_tx(actor.workspace_id) as tx:
        row = await tx.fetchrow("select state, flow_id from studio_tour where user_id = $1", actor.user_id)
    return Tour(row["state"], row["flow_id"] == flow_id) if row is not None else Tour("")


async def keep(actor: Actor, form: TourForm) -> None:
    """Raises NotFound for a flow that is not there."""
    await queries.there(actor, form.flow)
    async with tenant_tx(actor.workspace_id) as tx:
        await tx.execute(
            "insert into studio_tour (workspace_id, user_id, flow_id, state) values ($1, $2, $3, $4) "
            "on conflict (workspace_id, user_id) do update set flow_id = $3, state = $4, at = now()",
            actor.workspace_id,
            actor.user_id,
            form.flow,
            form.state,
        )


async def begin(actor: Actor) -> UUID:
    """An empty flow with the tour on it; the one that was begun before and is empty still is used again."""
    if not actor.can_edit:
        raise NotAllowed("The tour makes a flow, which is up to editors.", remedy="Ask an owner to make you an editor.")
    async with tenant_tx(actor.workspace_id) as tx:
        flow_id: UUID | None = await tx.fetchval(
            "select flow.id from studio_tour tour join flow on flow.id = tour.flow_id "
            "where tour.user_id = $1 and flow.step_count = 0 and flow.archived_at is null",
            actor.user_id,
        )
    flow_id = flow_id or await service.create_flow(actor, NAME)
    await keep(actor, TourForm("running", flow_id))
    return flow_id


class TourController(Controller):
    path = "/tour"

    @get("/", name="studio:tour")
    async def state(self, actor: NamedDependency[Actor], flow: FromQuery[UUID]) -> Tour:
        return await tour_of(actor, flow)

    @post("/", name="studio:tour-begin", status_code=303)
    async def begin(self, request: Request, actor: NamedDependency[Actor]) -> Response[Any]:
        return go(request, f"/flows/{await begin(actor)}")

    @post("/state", name="studio:tour-keep", status_code=204)
    async def keep(self, actor: NamedDependency[Actor], data: JSONBody[TourForm]) -> None:
        await keep(actor, data)
