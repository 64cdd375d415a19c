# ruff: noqa: E501 -- SQL keeps its own shape
"""A run again: from its beginning, or from one of its steps, with the same or another version of the flow.

It is a run of its own. What does not come after the chosen step is taken over from the first one's record and is not
called again; the chosen step and all after it run anew. The engine does not know the difference: to it this is a run
that is taken up where it stood (rule 63).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app import events
from app.db import Tx, tenant_tx
from app.errors import Conflict, NotFound, Refused, TooMany
from app.runs import limits, service, versions
from app.runs.arriving import Arrivals
from app.runs.limits_drain import retry_after
from app.runs.pinning import give, stored
from app.runs.ports import Typed, ports_of
from app.runs.reach import Place, Reach, reach
from app.runs.redacting import redacted, restored
from app.runs.running import Ready, host
from app.web import Actor
from flows.breaks import Breaks
from flows.express import StepRecord
from flows.ledger import postgres_values as values
from flows.ledger import postgres_verbs as verbs
from flows.ledger.protocol import Fault
from flows.model import Flow
from flows.resuming import edited
from flows.sdk.errors import NodeError

OVER = ("succeeded", "failed", "cancelled", "dead", "in_doubt")
OUTSIDE = frozenset({"at_most_once", "probe", "db", "idempotent"})
"""Effects that act on something outside the run: to do such a step anew is to do it again."""

ORIGIN = """
select r.id, r.flow_id, r.version_id, r.status, r.trigger, r.trigger_id, r.visitor, r.draft, r.input::text as input, r.steps::text as steps,
       v.document, v.number
  from run r join flow_version v on v.id = r.version_id where r.id = $1
"""
RECORDS = (
    "select node_id, iter_path, status, handled, effect_class, output::text as output from node_exec where run_id = $1"
)

LINK = "update run set epoch = 1, origin_run = $2, from_step = $3, draft = $4, breaks = $5::json where id = $1::uuid"
"""Epoch 1: its first claim is the second, so the worker reads the record instead of taking the run for a new one."""

TAKE_OVER = """
insert into node_exec (run_id, node_id, iter_path, workspace_id, status, attempt, epoch, effect_class, idem_key, output, error, handled,
                       ms, started_at, finished_at, taken_over)
select $1::uuid, n.node_id, n.iter_path, n.workspace_id, n.status, n.attempt, 0, n.effect_class,
       $1::uuid::text || ':' || n.node_id || case when n.iter_path = '' then '' else ':' || n.iter_path end, n.output, n.error, n.handled,
       n.ms, now() + row_number() over (order by n.started_at, n.node_id, n.iter_path) * interval '1 microsecond', now(), true
  from node_exec n join unnest($3::text[], $4::text[]) as k (node, iter) on n.node_id = k.node and n.iter_path = k.iter
 where n.run_id = $2
"""
TAKE_OVER_EXPRESS = """
insert into node_exec (run_id, node_id, iter_path, workspace_id, status, attempt, epoch, effect_class, idem_key, output, error, handled,
                       ms, started_at, finished_at, taken_over)
select $1::uuid, s.node, s.iter, $2, s.status, s.attempt, 0, s.effect, $1::uuid::text || ':' || s.node || case when s.iter = '' then '' else ':' || s.iter end,
       s.output::json, s.error::json, s.handled, s.ms, now() + row_number() over () * interval '1 microsecond', now(), true
  from unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::bool[], $11::float8[])
       as s (node, iter, status, attempt, effect, output, error, handled, ms)
"""
EDITED = """
insert into node_exec (run_id, node_id, iter_path, workspace_id, status, attempt, epoch, effect_class, idem_key, edits)
values ($1::uuid, $2::text, $3::text, $4, 'ready', 0, 0, $5, $1::uuid::text || ':' || $2 || case when $3 = '' then '' else ':' || $3 end, $6::json)
"""


class Outcome(Struct, frozen=True):
    """What is on record of one step. `output`: JSON text."""

    place: Place
    status: str
    handled: bool
    effect: str
    output: str | None

    @property
    def settled(self) -> bool:
        return self.status in ("succeeded", "skipped") or (self.status == "failed" and self.handled)


class Choice(Struct, frozen=True):
    """What a person sees before: what arrives at the step, by port, and which steps will act outside a second time.

    `ports`: what the step takes, in the order of its card.
    """

    inputs: dict[str, Any]
    again: list[str]
    number: int
    ports: list[Typed]


async def replay(
    actor: Actor,
    run_id: UUID,
    *,
    from_step: str = "",
    version_id: UUID | None = None,
    input: Any = UNSET,
    edits: dict[str, Any] | None = None,
    pinned: Mapping[str, str] | None = None,
    breaks: Breaks | None = None,
    afresh: bool = False,
) -> UUID:
    """Start a run that goes on from `from_step` ("step" or "step:round") of this one; "" = from its beginning.

    `version_id`: another version of the same flow, None = the one it ran. `input`: UNSET = the same again. `edits`:
    values by input port of the step, in the place of what arrived there. Values shown to people hide secrets; where an
    edited value still says "hidden", the secret is put back. `pinned`: steps with the outputs (JSON text) they have in any
    case, for tries of a draft; they are not called, and need not have ended in the first run. `breaks`: steps before which
    it pauses, for tries as well. `afresh`: take no results that steps kept from runs before.

    Returns the new run's id. Raises NotFound, Conflict while the first run goes on or its doubts are open, and Refused
    naming the step when the version differs in what is to be taken over.
    """
    service.may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        origin = await _origin(tx, run_id)
        ready = await service.mine(actor, version_id or origin["version_id"])
        if ready.flow_id != origin["flow_id"]:
            raise NotFound("This version of the flow does not exist.")
        given = origin["input"]
        if not isinstance(input, UnsetType):
            given = service.input_text(restored(input, msgspec.json.decode(given)))
        place = _place(from_step)
        outcomes = await _outcomes(tx, origin) if from_step else []
        pins = pinned or {}
        kept = await _kept(tx, origin, ready, place, outcomes, pins) if from_step else []
        new_id = await _stored(tx, actor, origin, ready, given, from_step, breaks, afresh)
        await _take_over(tx, actor, origin, new_id, [each for each in kept if each[0] not in pins])
        await give(tx, actor.workspace_id, new_id, pins)
        if edits and from_step:
            before = _arrived(versions.document_of(origin["document"]), place, outcomes)
            changed = {
                port: value for port, value in restored(edits, before).items() if before.get(port, UNSET) != value
            }
            await _edit(tx, actor, ready, new_id, place, changed)
        told = {"run": str(new_id), "origin": str(run_id), "from": from_step, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.replayed", told)
    await host().nudge("interactive")
    return new_id


async def replay_all(actor: Actor, run_ids: Sequence[UUID]) -> list[UUID]:
    """Each of these runs again from its beginning with the same input; those that are gone are left out."""
    made = []
    for run_id in run_ids:
        try:
            made.append(await replay(actor, run_id))
        except NotFound:
            continue
    return made


async def choice(actor: Actor, run_id: UUID, from_step: str) -> Choice:
    """What to show before a run goes on from this step. 2 statements. Raises what `replay` would raise for it."""
    async with tenant_tx(actor.workspace_id) as tx:
        origin = await _origin(tx, run_id)
        ready = await service.mine(actor, origin["version_id"])
        place = _place(from_step)
        outcomes = await _outcomes(tx, origin)
        await _kept(tx, origin, ready, place, outcomes)
    found = reach(ready.plan, *place)
    flow = versions.document_of(origin["document"])
    labels = {use.id: use.label or use.id for use in flow.nodes}
    again = [
        labels.get(each.place[0], each.place[0])
        for each in outcomes
        if found is not None and found.forgotten(each.place) and each.effect in OUTSIDE and each.status == "succeeded"
    ]
    inputs = _arrived(flow, place, outcomes)
    ports = ports_of(ready.plan.step(place[0]))
    return Choice(redacted(inputs), list(dict.fromkeys(again)), origin["number"], ports)


async def _origin(tx: Tx, run_id: UUID) -> Any:
    row = await tx.fetchrow(ORIGIN, run_id)
    if row is None:
        raise NotFound(service.GONE)
    return row


def _place(from_step: str) -> Place:
    node, _, iter = from_step.partition(":")
    return node, iter


async def _outcomes(tx: Tx, origin: Any) -> list[Outcome]:
    if origin["steps"] is not None:
        return [
            Outcome((each.node, each.iter), each.status, each.handled, each.effect, _text(each.output))
            for each in msgspec.json.decode(origin["steps"], type=list[StepRecord])
        ]
    rows = await tx.fetch(RECORDS, origin["id"])
    return [
        Outcome((row["node_id"], row["iter_path"]), row["status"], row["handled"], row["effect_class"], row["output"])
        for row in rows
    ]


async def _kept(
    tx: Tx, origin: Any, ready: Ready, place: Place, outcomes: Sequence[Outcome], pins: Collection[str] = ()
) -> list[Place]:
    """The outcomes that the new run takes over. Raises Conflict and Refused, see `replay`."""
    if origin["status"] not in OVER:
        raise Conflict("This run still goes on.", remedy="Wait for its end or cancel it, then resume it from a step.")
    node = place[0]
    if "/" in node:
        outer = node.partition("/")[0]
        raise Refused(
            f"'{node}' is a step of another flow.", remedy=f"Resume from '{outer}', which runs it.", field="from_step"
        )
    then = versions.document_of(origin["document"])
    number = await _number(tx, ready, origin)
    found = reach(ready.plan, *place)
    if found is None:
        raise Refused(f"There is no step '{node}' in {number}.", remedy="Choose another step.", field="from_step")
    _must_be_settled(then, found, place, outcomes, ready.version_id == origin["version_id"], pins)
    kept = [each.place for each in outcomes if each.settled and not found.forgotten(each.place)]
    if ready.version_id == origin["version_id"]:
        return kept
    ran = await host().ready(origin["version_id"])
    then_before = (reach(ran.plan, *place) or found).before
    return _same_steps(then, await _document(tx, ready), found.before | then_before, kept, node, number)


def _must_be_settled(
    then: Flow, found: Reach, place: Place, outcomes: Sequence[Outcome], same: bool, pins: Collection[str]
) -> None:
    labels = {use.id: use.label or use.id for use in then.nodes}
    seen = {each.place[0] for each in outcomes if each.settled}.union(pins)
    for each in outcomes:
        if each.status in ("in_doubt", "started") and each.effect in OUTSIDE and not found.forgotten(each.place):
            name = labels.get(each.place[0], each.place[0])
            raise Conflict(
                f"Nobody knows whether step '{name}' took effect.", remedy="Say whether it happened, then resume."
            )
    for node in sorted(found.before):
        if node in labels and node not in seen:
            raise Refused(
                f"Step '{labels[node]}' comes before it and has not ended in that run.",
                remedy=f"Resume from '{labels[node]}'.",
                field="from_step",
            )
    if same and any(each.place == place and each.status == "skipped" for each in outcomes):
        raise Refused(
            f"Nothing arrived at step '{labels.get(place[0], place[0])}', so it was skipped.",
            remedy="Resume from the step that decided it.",
            field="from_step",
        )


def _same_steps(then: Flow, now: Flow, before: set[str], kept: list[Place], node: str, number: str) -> list[Place]:
    """Only what is the same step in both versions can be taken over. A step before the chosen one must be."""
    old = {use.id: (use.type, use.version, use.parent) for use in then.nodes}
    new = {use.id: (use.type, use.version, use.parent) for use in now.nodes}
    labels = {use.id: use.label or use.id for use in then.nodes}
    if old.get(node, new.get(node)) is not None and old.get(node, new[node])[2] != new[node][2]:
        raise Refused(f"Step '{labels[node]}' lies in another place in {number}.", field="from_step")
    for id in sorted(before):
        if id in old and old[id] != new.get(id):
            gone = f"Step '{labels[id]}' is gone in {number}, so what it gave can't be taken over."
            other = f"Step '{labels[id]}' is another kind of step in {number}, so what it gave can't be taken over."
            raise Refused(
                gone if id not in new else other,
                remedy="Resume with the version that ran, or from an earlier step.",
                field="version",
                code="upstream_changed",
            )
    return [each for each in kept if old.get(top := each[0].partition("/")[0]) == new.get(top)]


async def _number(tx: Tx, ready: Ready, origin: Any) -> str:
    if ready.version_id == origin["version_id"]:
        return f"version {origin['number']}" if origin["number"] else "this draft"
    number = await tx.fetchval("select number from flow_version where id = $1", ready.version_id)
    return f"version {number}" if number else "the draft"


async def _document(tx: Tx, ready: Ready) -> Flow:
    return versions.document_of(await tx.fetchval("select document from flow_version where id = $1", ready.version_id))


async def _stored(
    tx: Tx,
    actor: Actor,
    origin: Any,
    ready: Ready,
    given: str,
    from_step: str,
    breaks: Breaks | None,
    afresh: bool,
) -> UUID:
    new = verbs.NewRun(
        workspace_id=actor.workspace_id,
        flow_id=ready.flow_id,
        version_id=ready.version_id,
        input=given,
        trigger=origin["trigger"],
        lane="interactive",
        trigger_id=origin["trigger_id"],
        started_by=actor.user_id,
        visitor=origin["visitor"],
        draft=origin["draft"],
        deadline=service.DEADLINE,
        afresh=afresh,
        line=(await limits.queue_of(tx, *ready.place, given))[0],
        variables_id=await service.variables_id(tx, ready),
    )
    try:
        started = await verbs.start_run(tx, new)
    except verbs.QueueFull:
        seconds = await retry_after(tx, actor.workspace_id)
        raise TooMany("Too many runs of this workspace are waiting.", retry_after=seconds) from None
    kind = await tx.fetchval("select kind from flow_version where id = $1", ready.version_id)
    await tx.execute(LINK, started.id, origin["id"], from_step, kind == "draft", stored(breaks))
    return UUID(str(started.id))


async def _take_over(tx: Tx, actor: Actor, origin: Any, new_id: UUID, kept: list[Place]) -> None:
    if not kept:
        return
    await values.name_again(tx, origin["id"], new_id)
    if origin["steps"] is None:
        await tx.execute(TAKE_OVER, new_id, origin["id"], [node for node, _ in kept], [iter for _, iter in kept])
        return
    wanted = set(kept)
    records = msgspec.json.decode(origin["steps"], type=list[StepRecord])
    rows = [
        (r.node, r.iter, r.status, r.attempt, r.effect, _text(r.output), _fault(r.fault), r.handled, r.ms)
        for r in records
        if (r.node, r.iter) in wanted
    ]
    await tx.execute(TAKE_OVER_EXPRESS, new_id, actor.workspace_id, *(list(each) for each in zip(*rows, strict=True)))


async def _edit(tx: Tx, actor: Actor, ready: Ready, new_id: UUID, place: Place, edits: dict[str, Any]) -> None:
    if not edits:
        return
    step = ready.plan.step(place[0])
    try:
        edited(step, edits)
    except NodeError as misfit:
        raise Refused(misfit.message, remedy="Change it, then run.", field=misfit.field or "edits") from None
    text = service.input_text(edits)
    await tx.execute(EDITED, new_id, place[0], place[1], actor.workspace_id, step.effect, text)


def _arrived(flow: Flow, place: Place, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the wires carried to a step in that run."""
    given = {each.place: msgspec.json.decode(each.output) for each in outcomes if each.output is not None}
    return Arrivals(flow, given).at(*place)


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _fault(fault: Fault | None) -> str | None:
    return None if fault is None else msgspec.json.encode(fault).decode()
