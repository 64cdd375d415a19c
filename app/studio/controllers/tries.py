"""Trying the draft: the test face, the run's events as they come, its timeline, stopping it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from msgspec import Struct

from app.errors import NotFound
from app.studio import queries, tries, tries_again
from app.studio.tries_again import AgainForm
from app.web.actor import Actor
from app.web.htmx import Request
from app.web.render import fragment


class TryForm(Struct, forbid_unknown_fields=True):
    """What starts the run, as its trigger would bring it.

    `again`: the run whose input is taken, whole without `input`, else as `input` changed it. `afresh`: take no results
    that steps keep. `upto`: the last step to run, "" = all.
    """

    input: dict[str, Any] | None = None
    again: UUID | None = None
    afresh: bool = False
    upto: str = ""


class TriesController(Controller):
    path = "/flows/{flow_id:uuid}"

    @get("/try", name="studio:try")
    async def face(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], talk: FromQuery[str] = ""
    ) -> Response[Any]:
        """`talk`: a conversation of tries to go on with."""
        flow, rev = await queries.draft(actor, flow_id)
        face = await tries.face(actor, flow_id, flow, queries.problems_at(flow_id, rev, flow), talk)
        return fragment(request, "studio/_try.html", face=face)

    @post("/tries", name="studio:start-try", status_code=200)
    async def start(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[TryForm]) -> Stream:
        events = await tries.start(actor, flow_id, data.input, again=data.again, afresh=data.afresh, upto=data.upto)
        return _streamed(events)

    @post("/tries/{run_id:uuid}/continuations", name="studio:continue-try", status_code=200)
    async def go_on(
        self,
        actor: NamedDependency[Actor],
        flow_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[AgainForm],
    ) -> Stream:
        """To a step, a step alone, or from a step on, with what that run left."""
        return _streamed(tries_again.told(actor, await tries_again.again(actor, flow_id, run_id, data)))

    @get("/tries/{run_id:uuid}/states", name="studio:try-states")
    async def states(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> dict[str, Any]:
        """Of every step in that run, for its card, and of the run itself."""
        run = await tries.ran(actor, run_id)
        return {"states": run.states, "status": run.status}

    @get("/tries/{run_id:uuid}/timeline", name="studio:timeline")
    async def timeline(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> Response[Any]:
        """204 while there is no record: a run of the express lane is written down when it ends."""
        try:
            run = await tries.ran(actor, run_id)
        except NotFound:
            return Response(None, status_code=204)
        return fragment(request, "studio/_timeline.html", run=run)

    @get("/tries/{run_id:uuid}/result", name="studio:try-result")
    async def result(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> Response[Any]:
        """What came out, or why nothing did, as the face of a form shows it."""
        return fragment(request, "studio/_tried.html", run=await tries.result(actor, flow_id, run_id))

    @put("/tries/{run_id:uuid}/cancellation", name="studio:cancel-try")
    async def cancel(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> dict[str, str]:
        return {"state": await tries.cancel(actor, run_id)}


def _streamed(events: AsyncIterator[dict[str, Any]]) -> Stream:
    headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
    return Stream(_lines(events), media_type="application/x-ndjson", headers=headers)


async def _lines(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for event in events:
        yield msgspec.json.encode(event) + b"\n"
