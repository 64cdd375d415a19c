"""Run again, resume from a step, with inputs edited first: what comes of it is a run of its own."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import UNSET

from app.errors import Refused
from app.runs import queries, replays, service
from app.runs.fields import changed_of, value_of
from app.runs.ports import fields_for, input_fields
from app.web.actor import Actor
from app.web.flash import flash
from app.web.htmx import Request
from app.web.render import go, page


class ReplaysController(Controller):
    path = "/runs/{run_id:uuid}/replays"

    @get("/new", name="runs:replay-new")
    async def new(
        self,
        request: Request,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        from_step: FromQuery[str] = "",
        afresh: FromQuery[bool] = False,
    ) -> Response[str]:
        return await form(request, actor, run_id, from_step, {"afresh": "yes"} if afresh else None)

    @post("/", name="runs:replay")
    async def create(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> Response[Any]:
        sent = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        from_step = sent.get("from_step", "")
        try:
            made = await _replayed(actor, run_id, from_step, sent)
        except Refused as refused:
            if "shown" not in sent:
                raise
            return await form(request, actor, run_id, from_step, sent, refused)
        flash(request, "It goes on from there." if from_step else "The run has begun.")
        return go(request, f"/runs/{made}")


async def _replayed(actor: Actor, run_id: UUID, from_step: str, sent: dict[str, str]) -> UUID:
    version_id = None
    if sent.get("version") == "live":
        flow_id = (await queries.place(actor, run_id)).flow_id
        version_id = await service.live_version(actor.workspace_id, flow_id)
    afresh = sent.get("afresh") == "yes"
    if from_step:
        chosen = await replays.choice(actor, run_id, from_step)
        edits = changed_of(sent, fields_for(chosen.ports, chosen.inputs))
        return await replays.replay(
            actor, run_id, from_step=from_step, version_id=version_id, edits=edits, afresh=afresh
        )
    values = value_of(sent)
    given = UNSET if values is None else values
    return await replays.replay(actor, run_id, version_id=version_id, input=given, afresh=afresh)


async def form(
    request: Request,
    actor: Actor,
    run_id: UUID,
    from_step: str,
    sent: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> Response[str]:
    """The page before: what arrives, what will act outside again, with which version."""
    run, flow = await queries.opened(actor, run_id)
    chosen = await replays.choice(actor, run_id, from_step) if from_step else None
    fields = input_fields(flow, run.trigger, run.input, sent)
    if chosen is not None:
        fields = fields_for(chosen.ports, chosen.inputs, sent)
    live = await service.live_version(actor.workspace_id, run.flow_id)
    node = from_step.partition(":")[0]
    return page(
        request,
        "runs/replay.html",
        status_code=422 if refused else 200,
        nav="runs",
        run=run,
        step=next((step for step in run.steps if step.node == node), None),
        from_step=from_step,
        fields=fields,
        again=chosen.again if chosen is not None else [],
        newer=live is not None and live != run.version_id,
        version=(sent or {}).get("version", ""),
        afresh="afresh" in (sent or {}),
        cause=str(refused) if refused else "",
        remedy=refused.remedy if refused else "",
        wrong=refused.field if refused else "",
    )
