"""The express lane of this process: run, commit the record, then answer."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock
from app.errors import Conflict, Unavailable
from app.gateway.service import Owed, llm_for
from app.runs.ids import uuid7, uuid8
from app.runs.keeping import KEPT
from app.runs.outcome import Outcome, outcome_of
from app.runs.running import CAPABILITIES, Host, Ready
from app.runs.values import whole_text
from app.runs.variables import VariableSet
from flows.express import Record, run_express
from flows.ledger.commit import Before, ExpressRow, Overloaded
from flows.limits import Limits
from flows.sdk.context import RunFacts
from flows.stored import record_of

PATIENCE = 300.0
"""Seconds an express run may take."""

WHOLE = Limits()
"""Limits of an answer's record: those of its steps' values held already when they were made."""

_encode = msgspec.json.Encoder().encode
_under_way: dict[UUID, asyncio.Event] = {}
_answers: dict[UUID, "asyncio.Task[tuple[Done, str]]"] = {}


class Request(Struct, frozen=True):
    ready: Ready
    input: Any
    trigger: str
    started_by: UUID | None = None
    idempotency_key: str = ""
    draft: bool = False
    visitor: str = ""
    trigger_id: UUID | None = None
    patience: float = PATIENCE
    afresh: bool = False
    variables: VariableSet | None = None


class Done(Struct, frozen=True):
    """A committed run. `output` is the result as the step made it, `text` the same as JSON."""

    run_id: UUID
    status: str
    output: Any = None
    text: str | None = None
    error: str = ""
    node: str = ""

    def outcome(self) -> Outcome:
        output = msgspec.to_builtins(self.output) if self.output is not None else None
        return Outcome(self.run_id, self.status, output, self.error, self.node)


def cancel(run_id: UUID) -> None:
    """End an express run of this process at its next breath."""
    if (event := _under_way.get(run_id)) is not None:
        event.set()


async def answer(host: Host, request: Request) -> Outcome:
    """Run to the end, and return once the record is committed. The same key gives the first one's answer."""
    return (await run(host, request)).outcome()


async def run(host: Host, request: Request) -> Done:
    """The same, with the result as it is."""
    if not request.idempotency_key:
        return (await _answer(host, request, uuid7()))[0]
    run_id, before = await _begin(host, request)
    if before is not None:
        return before
    if (twin := _answers.get(run_id)) is not None:  # the same key, at this moment, in this process
        return _if_same(await asyncio.shield(twin), request)
    mine = _answers[run_id] = asyncio.get_running_loop().create_task(_answer(host, request, run_id))
    mine.add_done_callback(lambda _: _answers.pop(run_id, None))
    return (await asyncio.shield(mine))[0]


async def _answer(host: Host, request: Request, run_id: UUID) -> tuple[Done, str]:
    request = await knowing(request)
    with Owed() as owed:
        facts = _facts(request, run_id, owed)
        facts.deadline = clock.epoch() + request.patience
        record = await run_express(
            request.ready.plan, _input(request), context=facts, flow_of=host.plan_of, limits=request.ready.limits
        )
        return await commit(host, request, run_id, record, owed), _text(request)


def _if_same(done: tuple[Done, str], request: Request) -> Done:
    if done[1] != _text(request):
        raise reused()
    return done[0]


async def stream(host: Host, request: Request) -> AsyncIterator[dict[str, Any]]:
    """The events of a run as they come; the last one after its record is committed."""
    run_id, before = await _begin(host, request)
    if before is not None:
        yield before.outcome().event()
        return
    request = await knowing(request)
    owed = Owed()
    facts = _facts(request, run_id, owed)
    facts.deadline = clock.epoch() + PATIENCE
    queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    stopped = _under_way[run_id] = asyncio.Event()
    task = asyncio.create_task(_watched(host, request, run_id, facts, owed, queue, stopped))
    try:
        while (event := await queue.get()) is not None:
            yield event
        yield (await task).outcome().event()
    finally:
        stopped.set()  # whoever leaves early ends the run; its record is written all the same
        _under_way.pop(run_id, None)


async def _watched(
    host: Host,
    request: Request,
    run_id: UUID,
    facts: RunFacts,
    owed: Owed,
    queue: "asyncio.Queue[dict[str, Any] | None]",
    stopped: asyncio.Event,
) -> Done:
    def listen(event: dict[str, Any]) -> None:
        if event["type"] == "run.started" or not event["type"].startswith("run."):
            queue.put_nowait(event)

    try:
        with owed:
            record = await run_express(
                request.ready.plan,
                _input(request),
                context=facts,
                listen=listen,
                flow_of=host.plan_of,
                cancelled=stopped,
                limits=request.ready.limits,
            )
            return await commit(host, request, run_id, record, owed)
    finally:
        queue.put_nowait(None)


async def _begin(host: Host, request: Request) -> tuple[UUID, Done | None]:
    """The run's id, and the answer if this key was used before.

    With a key the id is derived from it: a caller that comes again after a crash of ours runs under the same id, so
    steps that hand their idempotency key to the outside are done once.
    """
    if not request.idempotency_key:
        return uuid7(), None
    ready = request.ready
    before = await host.commits.before(ready.workspace_id, ready.flow_id, request.idempotency_key)
    if before is not None:
        return before.id, await _same(request, before, _text(request))
    digest = blake2b(
        f"{ready.workspace_id}:{ready.flow_id}:{request.idempotency_key}".encode(),
        digest_size=16,
        person=b"agentbase.run",
    )
    return uuid8(digest.digest()), None


async def commit(host: Host, request: Request, run_id: UUID, record: Record, owed: Owed | None = None) -> Done:
    output = _encode(record.output).decode() if record.output is not None else None
    if record.values:
        await host.keep(request.ready.workspace_id, run_id, record.values)
    row = ExpressRow(
        id=run_id,
        workspace_id=request.ready.workspace_id,
        flow_id=request.ready.flow_id,
        version_id=request.ready.version_id,
        status=record.status,
        trigger=request.trigger,
        input=_encode(_input(request)).decode(),
        output=record_of(record.output, WHOLE)[0] if record.values and output is not None else output,
        error=_encode(record.fault).decode() if record.fault is not None else None,
        steps=record.steps_json.decode(),
        seconds=record.ms / 1000,
        trigger_id=request.trigger_id,
        started_by=request.started_by,
        visitor=request.visitor,
        draft=request.draft,
        idempotency_key=request.idempotency_key or None,
        prompt_tokens=record.usage.prompt_tokens if record.usage else 0,
        completion_tokens=record.usage.completion_tokens if record.usage else 0,
        cost_micros=record.usage.cost_micros if record.usage else 0,
        variables_id=request.variables.id if request.variables is not None else None,
        beside=owed.rows() if owed is not None else (),
    )
    try:
        before = await host.commits.commit(row)
    except Overloaded:
        raise Unavailable("More runs come in than can be recorded.", retry_after=2) from None
    if owed is not None and not row.beside:
        owed.paid()
    if before is not None:
        return await _same(request, before, row.input)
    fault = record.fault
    return Done(
        run_id,
        record.status,
        record.output,
        output,
        fault.message if fault else "",
        fault.node if fault else "",
    )


async def _same(request: Request, before: Before, input: str) -> Done:
    if before.input != input:
        raise reused()
    text = await whole_text(request.ready.workspace_id, before.id, before.output)
    was = outcome_of(before.id, before.status, text, before.error)
    return Done(was.run_id, was.status, was.output, text, was.error, was.node)


def reused() -> Conflict:
    return Conflict(
        "This idempotency key came with another input before.",
        remedy="Use a new key for a new request.",
        code="idempotency_key_reused",
    )


def _text(request: Request) -> str:
    return _encode(_input(request)).decode() if request.idempotency_key else ""


def _input(request: Request) -> Any:
    if request.visitor and isinstance(request.input, dict):
        return {**request.input, "visitor": request.visitor}
    return request.input


async def knowing(request: Request) -> Request:
    """The same with the variables that are in force now, where the flow reads any."""
    variables = await request.ready.variables()
    return request if variables is None else msgspec.structs.replace(request, variables=variables)


def _facts(request: Request, run_id: UUID, owed: Owed) -> RunFacts:
    workspace, flow, version = request.ready.names
    return RunFacts(
        str(run_id),
        workspace_id=workspace,
        flow_id=flow,
        version_id=version,
        trigger=request.trigger,
        capabilities=CAPABILITIES | {"llm": partial(llm_for, owed=owed)} if request.ready.models else CAPABILITIES,
        keeping=KEPT,
        afresh=request.afresh,
        vars=request.variables.vars if request.variables is not None else None,
    )
