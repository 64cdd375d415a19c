"""JSON twins of what people do with runs: start, look, follow, cancel, signal."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET

from app.errors import Conflict, DomainError, NotFound
from app.runs import (
    asking,
    comparing,
    files,
    following,
    limits,
    listing,
    needs,
    queries,
    replays,
    retention,
    service,
    shares,
    values,
)
from app.runs.fields import read_output
from app.runs.forms import (
    AskForm,
    DecisionForm,
    DecisionsForm,
    KeepingForm,
    LimitsForm,
    RatingForm,
    ReplayForm,
    RunForm,
    RunsForm,
    ShareForm,
    SignalForm,
)
from app.runs.outcome import Outcome
from app.runs.shapes import RunView
from app.web.actor import Actor
from app.web.closing import closing
from app.web.htmx import Request
from app.web.patience import LiveStream

LARGE = 1_100_000
PING = 15.0
NO_STORE = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}


class FlowRunsApi(Controller):
    path = "/flows/{flow_id:uuid}/runs"
    tags = ["Runs"]

    @post("/", name="api:run-start", summary="Start a run", opt={"scope": "run"}, request_max_body_size=LARGE)
    async def start(
        self, request: Request, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[RunForm]
    ) -> Response[Any]:
        """Without `wait` and `stream`: 202 as soon as the run is stored; from then on it will be carried out.

        `Idempotency-Key` (header): the same key gives the same run, however often it is sent.
        """
        sticky = data.sticky or str(actor.key_id or actor.user_id)
        key = request.headers.get("idempotency-key", "")
        if len(key) > 200:
            raise DomainError("The idempotency key is longer than 200 characters.", field="Idempotency-Key")
        if data.environment and data.environment != "live":
            version_id = await service.staged_in(actor, flow_id, data.environment)
            key = f"{data.environment}:{key}" if key else ""  # a key means something else in each environment
        else:
            version_id = await _version(actor, flow_id, data.version_id, sticky)
        if data.stream:
            events = service.stream(
                actor, version_id, data.input, trigger="api", idempotency_key=key, afresh=data.afresh
            )
            return LiveStream(_sse(events), media_type="text/event-stream", headers=NO_STORE, status_code=200)
        if data.wait:
            outcome = await service.answer(
                actor, version_id, data.input, trigger="api", idempotency_key=key, afresh=data.afresh
            )
            code = 200 if outcome.over or outcome.answered or outcome.status == "in_doubt" else 202
            return Response(_view(outcome), status_code=code, headers={"location": f"/api/v1/runs/{outcome.run_id}"})
        run_id = await service.start(
            actor,
            version_id,
            data.input,
            trigger="api",
            idempotency_key=key,
            priority=data.priority,
            lane=data.lane,
            afresh=data.afresh,
        )
        told = {"id": str(run_id), "status": "queued"}
        return Response(told, status_code=202, headers={"location": f"/api/v1/runs/{run_id}"})


class FlowLimitsApi(Controller):
    path = "/flows/{flow_id:uuid}/limits"
    tags = ["Runs"]

    @get("/", name="api:flow-limits", summary="How many runs of a flow may be under way at once")
    async def show(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> limits.FlowLimits:
        return await limits.of(actor, flow_id)

    @put("/", name="api:flow-limit", summary="Set them; they hold at once")
    async def save(
        self, actor: NamedDependency[Actor], flow_id: FromPath[UUID], data: JSONBody[LimitsForm]
    ) -> limits.FlowLimits:
        return await service.limit(actor, flow_id, limits.Limits(data.running, data.key, data.per_key, data.bulk))


class FlowWebhooksApi(Controller):
    path = "/flows/{flow_id:uuid}/webhooks"
    tags = ["Flows"]

    @get("/", name="api:webhooks", summary="Addresses that start a flow", opt={"scope": "run"})
    async def index(self, actor: NamedDependency[Actor], flow_id: FromPath[UUID]) -> list[queries.Webhook]:
        """One for each webhook step of the published version. To know one is to be able to start the flow."""
        await _version(actor, flow_id, "")
        return await queries.webhooks(actor, flow_id)


class AllRunsApi(Controller):
    path = "/runs"
    tags = ["Runs"]

    @get("/", name="api:runs", summary="Runs, newest first")
    async def index(self, request: Request, actor: NamedDependency[Actor]) -> listing.Listed:
        """Query: q, state, flow, trigger, version, period, since, until, cost (ct), seconds, rating (good,
        bad, any), before (the next page)."""
        wanted = listing.strict_filter_of(request.query_params)
        return await listing.listed(actor, wanted, request.query_params.get("before", ""))

    @post("/cancellations", name="api:runs-cancel", summary="Cancel many runs", opt={"scope": "run"}, status_code=202)
    async def cancel(self, actor: NamedDependency[Actor], data: JSONBody[RunsForm]) -> dict[str, int]:
        return {"cancelled": await service.cancel_all(actor, data.runs)}

    @post("/replays", name="api:runs-replay", summary="Run many again", opt={"scope": "run"}, status_code=202)
    async def replay(self, actor: NamedDependency[Actor], data: JSONBody[RunsForm]) -> dict[str, list[UUID]]:
        """Each from its beginning with the same input. Those that are gone are left out."""
        return {"runs": await replays.replay_all(actor, data.runs)}

    @get("/needs", name="api:runs-needs", summary="What waits for a person")
    async def waiting(self, request: Request, actor: NamedDependency[Actor]) -> needs.Needs:
        """Query: kind (question, doubt, dead), `after` = the next page."""
        query = request.query_params
        return await needs.needs(actor, kind=query.get("kind", ""), after=query.get("after", ""))

    @post("/decisions", name="api:runs-decide", summary="Settle doubts", opt={"scope": "run"}, status_code=200)
    async def decide(self, actor: NamedDependency[Actor], data: JSONBody[DecisionsForm]) -> dict[str, list[Any]]:
        """For each step in doubt: it happened (with what it gave), or it did not and is tried again."""
        settled: list[Any] = []
        gone: list[Any] = []
        for each in data.decisions:
            told = {"run": str(each.run), "node": each.node, "iter": each.iter}
            try:
                await service.decide(actor, each.run, each.node, each.iter, happened=each.happened, output=each.output)
                settled.append(told)
            except (Conflict, NotFound):
                gone.append(told)
        return {"settled": settled, "gone": gone}

    @get("/compare", name="api:runs-compare", summary="Two runs side by side")
    async def compare(
        self, actor: NamedDependency[Actor], a: FromQuery[UUID], b: FromQuery[UUID | None] = None
    ) -> comparing.Compared:
        """`b` unsaid: the run of the same flow before `a`."""
        return await comparing.compared(actor, a, b)

    @get("/keeping", name="api:runs-keeping", summary="How long ended runs are kept")
    async def keeping(self, actor: NamedDependency[Actor]) -> dict[str, int]:
        return {"days": await retention.days(actor.workspace_id)}

    @put("/keeping", name="api:runs-keep", summary="Set how long ended runs are kept", opt={"scope": "admin"})
    async def keep(self, actor: NamedDependency[Actor], data: JSONBody[KeepingForm]) -> dict[str, int]:
        await retention.keep(actor, data.days)
        return {"days": data.days}


class RunsApi(Controller):
    path = "/runs/{run_id:uuid}"
    tags = ["Runs"]

    @get("/", name="api:run", summary="A run with its steps")
    async def show(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> RunView:
        return await queries.run(actor, run_id)

    @get("/values/{hash:str}", name="api:run-value", summary="A large value that the record only names")
    async def value(
        self, actor: NamedDependency[Actor], run_id: FromPath[UUID], hash: FromPath[str]
    ) -> Response[bytes]:
        """`{"$stored": {"hash": …}}` stands in its place in the run's steps. A text comes as it is, else JSON."""
        made = await values.content(actor, run_id, hash)
        return Response(made.body, media_type=made.media_type, headers=made.headers)

    @get("/files/{id:str}", name="api:run-file", summary="A file that a step of the run wrote")
    async def file(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], id: FromPath[str]) -> Response[bytes]:
        """`id`: of the file in the run's values. Its media type is what its first bytes say."""
        made = await files.file(actor, run_id, id)
        return Response(made.body, media_type=made.media_type, headers=made.headers)

    @get("/events", name="api:run-events", summary="Follow a run (server-sent events, Last-Event-ID)")
    async def events(self, request: Request, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> LiveStream:
        await following.state(actor.workspace_id, run_id)  # 404 before the stream begins
        last = request.headers.get("last-event-id", "0")
        after = int(last) if last.isdigit() and len(last) < 18 else 0
        events = following.events_of(actor.workspace_id, run_id, after, numbered=True, through_waits=True)
        return LiveStream(_sse(events), media_type="text/event-stream", headers=NO_STORE)

    @post(
        "/replays",
        name="api:run-replay",
        summary="Run again, or resume from a step",
        opt={"scope": "run"},
        status_code=202,
    )
    async def replay(
        self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[ReplayForm]
    ) -> Response[Any]:
        """202 and the new run, which takes over what comes before `from_step`: those steps are not called again."""
        version_id = None
        if data.version:
            flow_id = (await queries.place(actor, run_id)).flow_id
            version_id = await _version(actor, flow_id, "" if data.version == "live" else data.version)
        given = UNSET if data.input is None else data.input
        made = await replays.replay(
            actor,
            run_id,
            from_step=data.from_step,
            version_id=version_id,
            input=given,
            edits=data.edits,
            afresh=data.afresh,
        )
        told = {"id": str(made), "status": "queued", "origin": str(run_id)}
        return Response(told, status_code=202, headers={"location": f"/api/v1/runs/{made}"})

    @get("/shares", name="api:run-shares", summary="Open links to a run", opt={"scope": "run"})
    async def links(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> list[shares.Share]:
        return await shares.shares(actor, run_id)

    @post("/shares", name="api:run-share", summary="Make a link to a run", opt={"scope": "run"}, status_code=201)
    async def share(
        self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[ShareForm]
    ) -> shares.Share:
        """Whoever has the link sees the run, without secrets, until it expires or is taken back."""
        return await shares.share(actor, run_id, data.days)

    @delete("/shares/{share_id:uuid}", name="api:run-unshare", summary="Take a link back", opt={"scope": "run"})
    async def unshare(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], share_id: FromPath[UUID]) -> None:
        await shares.take_back(actor, run_id, share_id)

    @get("/asks", name="api:run-asks", summary="Links to the questions of a run", opt={"scope": "run"})
    async def asked(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> list[asking.Link]:
        """Who was asked by e-mail, and the links. To know one is to be able to answer."""
        await queries.place(actor, run_id)
        return await asking.links(actor, run_id)

    @post("/asks", name="api:run-ask", summary="A link to a question", opt={"scope": "run"}, status_code=201)
    async def ask(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[AskForm]) -> asking.Link:
        """Mailed to `email`, or only made."""
        return await asking.ask(actor, run_id, data.step, data.email)

    @put(
        "/rating", name="api:run-rate", summary="Say whether its answer was good", opt={"scope": "run"}, status_code=204
    )
    async def rate(self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[RatingForm]) -> None:
        """One rating a person; another one takes its place. `ratings` of the run has all, those of visitors too."""
        await service.rate(actor, run_id, data.good, data.note)

    @delete("/rating", name="api:run-unrate", summary="Take one's rating back", opt={"scope": "run"})
    async def unrate(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> None:
        await service.take_rating_back(actor, run_id)

    @post("/again", name="api:run-again", summary="Take up a given-up run", opt={"scope": "run"}, status_code=202)
    async def again(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> dict[str, str]:
        await service.again(actor, run_id)
        return {"id": str(run_id), "status": "queued"}

    @delete("/", name="api:run-cancel", summary="Cancel a run", opt={"scope": "run"}, status_code=202)
    async def cancel(self, actor: NamedDependency[Actor], run_id: FromPath[UUID]) -> dict[str, str]:
        return {"id": str(run_id), "state": await service.cancel(actor, run_id)}

    @post(
        "/decision",
        name="api:run-decide",
        summary="Say whether a step in doubt happened",
        opt={"scope": "run"},
        status_code=202,
    )
    async def decide(
        self, actor: NamedDependency[Actor], run_id: FromPath[UUID], data: JSONBody[DecisionForm]
    ) -> dict[str, str]:
        output = read_output(data.output) if data.happened == "yes" else None
        await service.decide(actor, run_id, data.node, data.iter, happened=data.happened == "yes", output=output)
        return {"id": str(run_id)}

    @post("/signals/{name:str}", name="api:run-signal", summary="Send a signal", opt={"scope": "run"}, status_code=202)
    async def signal(
        self,
        actor: NamedDependency[Actor],
        run_id: FromPath[UUID],
        name: FromPath[str],
        data: JSONBody[SignalForm],
    ) -> dict[str, str]:
        await service.signal(actor, run_id, name, data.data, dedupe_key=data.dedupe_key, step=data.step)
        return {"id": str(run_id), "signal": name}


async def _version(actor: Actor, flow_id: UUID, wanted: str, key: str = "") -> UUID:
    """The live version, or the one that was named, if it is one of this flow."""
    if not wanted:
        live = await service.live_version(actor.workspace_id, flow_id, key)
        if live is None:
            raise NotFound("This flow does not exist or is not published.", remedy="Publish it, then run it.")
        return live
    try:
        ready = await service.mine(actor, UUID(wanted))
    except ValueError:
        raise NotFound("This version of the flow does not exist.") from None
    if ready.flow_id != flow_id:
        raise NotFound("This version of the flow does not exist.")
    return ready.version_id


def _view(outcome: Outcome) -> dict[str, Any]:
    view: dict[str, Any] = {"id": str(outcome.run_id), "status": outcome.status, "output": outcome.output}
    if outcome.error:
        view["error"] = {"message": outcome.error, "node": outcome.node}
    return view


async def _sse(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Server-sent events, with a comment every 15 s of silence, ending when the process closes."""
    source = aiter(events)
    closed = asyncio.create_task(closing().wait())
    following_one: asyncio.Task[dict[str, Any]] | None = None
    try:
        while True:
            following_one = following_one or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({following_one, closed}, timeout=PING, return_when=asyncio.FIRST_COMPLETED)
            if closed in done:
                yield b"event: bye\ndata: {}\nretry: 500\n\n"
                return
            if not done:
                yield b": ping\n\n"
                continue
            try:
                event = following_one.result()
            except StopAsyncIteration:
                return
            except DomainError as problem:
                event = {"type": "run.failed", "error": str(problem)}
            following_one = None
            number = f"id: {event['seq']}\n" if "seq" in event else ""
            yield f"{number}event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}\n\n".encode()
    finally:
        closed.cancel()
        if following_one is not None:
            following_one.cancel()


api_routes: list[Any] = [FlowRunsApi, FlowLimitsApi, FlowWebhooksApi, AllRunsApi, RunsApi]
