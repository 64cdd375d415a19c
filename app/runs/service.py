"""What other domains do with runs. `who` is the Actor, or a workspace's id where nobody is signed in (webhook,
visitor).

Two lanes: a flow that can run at once in this process does (express: its record is committed before the answer);
every other flow is stored first and carried out by a worker (durable). Callers of `answer` and `stream` need not know
which.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app import events
from app.db import Tx, on_commit, tenant_tx
from app.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from app.runs import express, following, limits, news, running, versions
from app.runs.doors import Admitted as Admitted  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import Forged as Forged  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import Hook as Hook  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import Paced as Paced  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import check_calls as check_calls  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import guard_hooks as guard_hooks  # noqa: PLC0414 -- for app.triggers
from app.runs.doors import pace_hooks as pace_hooks  # noqa: PLC0414 -- for app.triggers
from app.runs.forms import GoOnForm as GoOnForm  # noqa: PLC0414 -- for app.studio
from app.runs.limits import key_of as key_of  # noqa: PLC0414 -- for app.triggers
from app.runs.limits_drain import retry_after
from app.runs.outcome import Outcome
from app.runs.rehearsal import Answer as Answer  # noqa: PLC0414 -- for app.checks
from app.runs.rehearsal import at_the_boundary as at_the_boundary  # noqa: PLC0414 -- for app.checks
from app.runs.rehearsal import digest as digest  # noqa: PLC0414 -- for app.checks
from app.runs.rehearsal import recorded as recorded  # noqa: PLC0414 -- for app.checks
from app.runs.rehearsal import rehearse as rehearse  # noqa: PLC0414 -- for app.checks
from app.runs.rehearsal import rehearse_here as rehearse_here  # noqa: PLC0414 -- for app.checks
from app.runs.rollouts import begin_rollout as begin_rollout  # noqa: PLC0414 -- for app.studio
from app.runs.rollouts import end_rollout as end_rollout  # noqa: PLC0414 -- for app.studio
from app.runs.rollouts import rolling_out as rolling_out  # noqa: PLC0414 -- for app.studio
from app.runs.running import Ready, host
from app.runs.stages import clear_stage as clear_stage  # noqa: PLC0414 -- for app.studio
from app.runs.stages import flows_on as flows_on  # noqa: PLC0414 -- for app.studio
from app.runs.stages import put_on_stage as put_on_stage  # noqa: PLC0414 -- for app.studio
from app.runs.stages import staged_version
from app.runs.values import whole_output as whole_output  # noqa: PLC0414 -- for app.triggers
from app.runs.versions import VersionView
from app.web import Actor
from flows.breaks import BREAK, Breaks, How
from flows.ledger import postgres_verbs as verbs
from flows.model import Flow
from flows.transport.protocol import Lane

MOST_INPUT = 1_000_000
"""Bytes of a run's input, as JSON."""
DEADLINE = 30 * 24 * 3600.0
"""Seconds after which a run that still waits is given up."""
PATIENCE = 60.0
"""Seconds that `answer` waits for a durable run."""
GONE = "This run does not exist."


def workspace_of(who: Actor | UUID) -> UUID:
    return who.workspace_id if isinstance(who, Actor) else who


def person_of(who: Actor | UUID) -> UUID | None:
    return who.user_id if isinstance(who, Actor) else None


async def save_version(
    tx: Tx,
    workspace_id: UUID,
    flow_id: UUID,
    document: Flow,
    name: str,
    by: UUID | None,
    *,
    notes: str = "",
    kind: str = "published",
    live: bool = True,
) -> UUID:
    """Freeze a flow. `published` makes it live (unless `live` is false) and sets its addresses; `draft` is for a try in
    the editor.

    The same content gives the same version: of what is live, or of an earlier draft.
    """
    return await versions.save(tx, workspace_id, flow_id, document, name, by, notes, kind, live)


async def version(tx: Tx, version_id: UUID) -> VersionView | None:
    """A version inside a transaction of its workspace."""
    row = await tx.fetchrow("select v.*, '' as by from flow_version v where v.id = $1", version_id)
    return versions.view(row) if row else None


async def live_version(workspace_id: UUID, flow_id: UUID, key: str = "") -> UUID | None:
    """What runs in public, None when the flow is not published.

    `key`: the visitor, API key or conversation it is for. While a new version is rolled out, part of them get that one.
    """
    async with tenant_tx(workspace_id) as tx:
        found = await tx.fetchval("select version_id from flow_live where flow_id = $1", flow_id)
    if found is None:
        return None
    return await _for_key(flow_id, UUID(str(found)), key) if key else UUID(str(found))


async def staged_in(actor: Actor, flow_id: UUID, environment: str) -> UUID:
    """What an environment runs of a flow. Raises NotFound."""
    async with tenant_tx(actor.workspace_id) as tx:
        return await staged_version(tx, flow_id, environment)


async def _for_key(flow_id: UUID, live: UUID, key: str) -> UUID:
    await host().rollouts.look()
    return host().rollouts.pick(flow_id, live, key)


def rollouts_changed() -> None:
    """This process decides anew from the next request on; others within a second."""
    if running._host:
        host().rollouts.forget()


async def take_down(tx: Tx, flow_id: UUID) -> bool:
    """Nothing runs in public any more: the flow was archived. Its webhook addresses answer 404. Whether it was live."""
    await end_rollout(tx, flow_id, "replaced")
    await tx.execute("delete from flow_stage where flow_id = $1", flow_id)
    gone = await tx.execute("delete from flow_live where flow_id = $1", flow_id)
    await tx.execute("update trigger set enabled = false where flow_id = $1", flow_id)
    return bool(gone != "DELETE 0")


async def bring_back(tx: Tx, workspace_id: UUID, flow_id: UUID, version_id: UUID) -> None:
    """The opposite: this version runs in public again, under the same addresses. Raises NotFound."""
    row = await tx.fetchrow("select * from flow_version where id = $1 and flow_id = $2", version_id, flow_id)
    if row is None:
        raise NotFound("This version of the flow does not exist.")
    await versions.go_live(tx, workspace_id, flow_id, version_id, versions.document_of(row["document"]))


async def forget_visits(tx: Tx, workspace_id: UUID, days: int) -> int:
    """Delete ended runs that visitors of sites started more than `days` days ago: they hold what was written.

    `tx` is a system_tx. Returns how many went.
    """
    done: str = await tx.execute(
        """delete from run where workspace_id = $1 and trigger = 'site'
           and finished_at < now() - make_interval(days => $2)""",
        workspace_id,
        days,
    )
    return int(done.rpartition(" ")[2])


async def start(  # noqa: PLR0913 -- each is a fact of the run
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    lane: Lane = "normal",
    priority: int = 0,
    afresh: bool = False,
) -> UUID:
    """Store a run; when this returns, the run will be carried out whatever happens. Returns its id.

    The same idempotency key gives the run it gave before. `afresh`: take no results that were kept from runs before.
    `priority`: in its lane the higher one comes first, within the workspace. `lane`: "normal" is "bulk" for a flow that
    says so.

    Raises NotFound for a version of somebody else, Conflict for a key that came with another input, Refused for an
    input that is too large, TooMany for a full queue.
    """
    may_run(who)
    ready = await mine(who, version_id)
    new = verbs.NewRun(
        workspace_id=ready.workspace_id,
        flow_id=ready.flow_id,
        version_id=version_id,
        input=input_text(input, visitor),
        trigger=trigger,
        lane=lane,
        priority=priority,
        trigger_id=trigger_id,
        started_by=person_of(who),
        visitor=visitor,
        draft=draft,
        idempotency_key=idempotency_key,
        deadline=DEADLINE,
        afresh=afresh,
    )
    async with tenant_tx(ready.workspace_id) as tx:
        run_id, lane = await _stored(tx, new)
    await host().nudge(lane)
    return run_id


async def start_within(
    tx: Tx,
    workspace_id: UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    trigger_id: UUID | None = None,
    idempotency_key: str = "",
    lane: Lane = "normal",
) -> UUID:
    """Store a run in the caller's transaction, so that it exists if, and only if, what the caller writes does.

    The caller calls `nudge` after the commit. Raises what `start` raises. While a new version is rolled out, part of
    what triggers start runs that one.
    """
    ready = await mine(workspace_id, version_id)
    if trigger_id is not None:
        version_id = await _for_key(ready.flow_id, version_id, idempotency_key or str(uuid4()))
    new = verbs.NewRun(
        workspace_id=workspace_id,
        flow_id=ready.flow_id,
        version_id=version_id,
        input=input_text(input),
        trigger=trigger,
        lane=lane,
        trigger_id=trigger_id,
        idempotency_key=idempotency_key,
        deadline=DEADLINE,
    )
    return (await _stored(tx, new))[0]


def address_token(trigger_id: UUID, round: int, kind: str) -> str:
    """The secret part of a trigger's address."""
    return versions.token(trigger_id, round, kind)


def address_proof(trigger_id: UUID, round: int, kind: str) -> bytes:
    """What is stored of it."""
    return versions.token_hash(versions.token(trigger_id, round, kind))


async def nudge(lane: Lane = "normal") -> None:
    """Tell workers that there is something to do; a lost nudge costs two seconds."""
    await host().nudge(lane)


async def _stored(tx: Tx, new: verbs.NewRun) -> tuple[UUID, Lane]:
    """Its id, and the lane it queues in: that of its flow, where nobody waits for it."""
    line, bulk = await limits.queue_of(tx, new.flow_id, new.input)
    new = msgspec.structs.replace(new, line=line, lane="bulk" if bulk and new.lane == "normal" else new.lane)
    try:
        started = await verbs.start_run(tx, new)
    except verbs.QueueFull:
        seconds = await retry_after(tx, new.workspace_id)
        raise TooMany("Too many runs of this workspace are waiting.", retry_after=seconds) from None
    except verbs.OtherRequest:
        raise express.reused() from None
    return UUID(str(started.id)), new.lane


async def answer(
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    patience: float = PATIENCE,
    afresh: bool = False,
) -> Outcome:
    """Run and wait for the end, at most `patience` seconds; then the outcome's status is where the run stands."""
    may_run(who)
    ready = await mine(who, version_id)
    if await ready.runs_here():
        request = express.Request(
            ready,
            input,
            trigger,
            person_of(who),
            idempotency_key,
            draft,
            visitor,
            trigger_id,
            patience,
            afresh,
        )
        return await express.answer(host(), request)
    run_id = await start(
        who,
        version_id,
        input,
        trigger=trigger,
        idempotency_key=idempotency_key,
        draft=draft,
        visitor=visitor,
        trigger_id=trigger_id,
        lane="interactive",
        afresh=afresh,
    )
    return await following.outcome(ready.workspace_id, run_id, patience)


async def stream(
    who: Actor | UUID,
    version_id: UUID,
    input: Any,
    *,
    trigger: str,
    idempotency_key: str = "",
    draft: bool = False,
    visitor: str = "",
    trigger_id: UUID | None = None,
    afresh: bool = False,
) -> AsyncIterator[dict[str, Any]]:
    """Run, and give its events as they come. The last one is run.succeeded, .failed, .cancelled, .in_doubt or .waiting.

    Every event names its run under "run". When the last one comes, the record is committed. Leaving early does not stop
    the run of a durable flow; an express run is cancelled and recorded as such.
    """
    may_run(who)
    ready = await mine(who, version_id)
    if await ready.runs_here():
        request = express.Request(
            ready, input, trigger, person_of(who), idempotency_key, draft, visitor, trigger_id, afresh=afresh
        )
        async for event in express.stream(host(), request):
            yield event
        return
    run_id = await start(
        who,
        version_id,
        input,
        trigger=trigger,
        idempotency_key=idempotency_key,
        draft=draft,
        visitor=visitor,
        trigger_id=trigger_id,
        lane="interactive",
        afresh=afresh,
    )
    async for event in following.events_of(ready.workspace_id, run_id):
        yield event


async def follow(who: Actor | UUID, run_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """A run's events from its beginning, as `stream` gives them. Raises NotFound."""
    async for event in following.events_of(workspace_of(who), run_id):
        yield event


async def resume(
    actor: Actor,
    run_id: UUID,
    version_id: UUID,
    *,
    from_step: str = "",
    edits: dict[str, Any] | None = None,
    pinned: Mapping[str, str] | None = None,
    breaks: Breaks | None = None,
) -> UUID:
    """Go on from a step of a run ("" = again from its beginning, same input) with this version: `replays.replay`."""
    from app.runs import replays

    return await replays.replay(
        actor, run_id, from_step=from_step, version_id=version_id, edits=edits, pinned=pinned, breaks=breaks
    )


async def begin_pinned(
    actor: Actor,
    version_id: UUID,
    input: Any,
    pinned: Mapping[str, str],
    *,
    afresh: bool = False,
    breaks: Breaks | None = None,
) -> UUID:
    """Start a try of a draft in which these steps have their outputs (JSON text) already, and which pauses where
    `breaks` says: `pinning.begin`.
    """
    from app.runs import pinning

    return await pinning.begin(actor, version_id, input, pinned, afresh=afresh, breaks=breaks)


async def go_on(actor: Actor, run_id: UUID, form: GoOnForm, *, at: Mapping[str, How] | None = None) -> None:
    """End the pause of a try before a step: `breaking.go_on`."""
    from app.runs import breaking

    await breaking.go_on(actor, run_id, form, at=at)


async def compared(actor: Actor, one: UUID, other: UUID | None = None) -> Any:
    """Two runs side by side, a `comparing.Compared`: `comparing.compared`."""
    from app.runs import comparing

    return await comparing.compared(actor, one, other)


async def cancel(who: Actor | UUID, run_id: UUID) -> str:
    """End a run: "cancelled" at once, "asked" when a worker has it and will stop, "over" when it had ended."""
    may_run(who)
    workspace_id = workspace_of(who)
    async with tenant_tx(workspace_id) as tx:
        await _must_exist(tx, run_id)
        done = await verbs.cancel_run(tx, run_id)
        if done == "cancelled":
            await news.tell_within(tx, workspace_id, run_id)
            told = {"type": "run.cancelled", "run": str(run_id)}
            on_commit(lambda: events.hub.whisper(workspace_id, f"run:{run_id}", "run.cancelled", told))
    express.cancel(run_id)
    return done


async def cancel_all(who: Actor, run_ids: Iterable[UUID]) -> int:
    """End many runs; those that had ended, or are not this workspace's, are left out. Returns how many it ends."""
    may_run(who)
    done = 0
    for run_id in run_ids:
        try:
            done += await cancel(who, run_id) != "over"
        except NotFound:
            continue
    return done


async def signal(
    who: Actor | UUID,
    run_id: UUID,
    name: str,
    data: Any = None,
    *,
    dedupe_key: str = "",
    sender: str = "",
    step: str = "",
) -> None:
    """Give a run what it waits for. It may come before the run waits; the same dedupe key counts once.

    `step`: "node" or "node:round", for one of several steps that wait for the same; "" = the first.

    Raises NotFound, and Conflict for a run that has ended.
    """
    may_run(who)
    if name == BREAK:
        raise Refused("This signal is the program's own.", remedy="Choose another name.", field="name")
    sender = sender or (who.name or who.email if isinstance(who, Actor) else "")
    async with tenant_tx(workspace_of(who)) as tx:
        await _must_exist(tx, run_id)
        try:
            lane = await verbs.signal_run(
                tx, run_id, name, input_text(data), by=person_of(who), sender=sender, dedupe_key=dedupe_key, step=step
            )
        except LookupError:
            raise Conflict("This run has ended: nothing waits for an answer any more.") from None
    if lane is not None:
        await host().nudge(lane)


async def limit(actor: Actor, flow_id: UUID, wanted: limits.Limits) -> limits.FlowLimits:
    """Set how many runs of a flow may be under way at once. Raises what limits.save raises."""
    saved = await limits.save(actor, flow_id, wanted)
    host().limited.forget()
    await host().nudge("normal")  # there may be room now
    return saved


async def decide(actor: Actor, run_id: UUID, node: str, iter: str, *, happened: bool, output: Any = None) -> None:
    """Settle a doubt: the step took effect (with this output), or it did not and is tried again. Kept as an event."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _must_exist(tx, run_id)
        try:
            text = input_text(output if output is not None else {})
            lane = await verbs.decide_step(
                tx, run_id, node, iter, happened=happened, output=text, by=str(actor.user_id)
            )
        except LookupError:
            raise Conflict("This step is not in doubt any more.", remedy="Reload the page.") from None
        told = {"run": str(run_id), "node": node, "iter": iter, "happened": happened, "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.decided", told)
    if lane is not None:
        await host().nudge(lane)


async def decide_all(actor: Actor, places: Iterable[tuple[UUID, str, str]], *, happened: bool) -> tuple[int, int]:
    """Settle many doubts with one answer: (settled, those that somebody or a late outcome had settled before)."""
    done = gone = 0
    for run_id, node, iter in places:
        try:
            await decide(actor, run_id, node, iter, happened=happened)
            done += 1
        except (Conflict, NotFound):
            gone += 1
    return done, gone


async def again(actor: Actor, run_id: UUID) -> None:
    """Take up a run that was given up after crashes, where it stood."""
    may_run(actor)
    async with tenant_tx(actor.workspace_id) as tx:
        await _must_exist(tx, run_id)
        lane = await verbs.run_again(tx, run_id, str(actor.user_id))
        if lane is None:
            raise Conflict("This run can't be taken up again.", remedy="Reload the page.")
        told = {"run": str(run_id), "by": actor.name}
        await events.publish(tx, actor.workspace_id, "workspace", "run.taken-up", told)
    await host().nudge(lane)


async def mine(who: Actor | UUID, version_id: UUID) -> Ready:
    """The version, if it is of this workspace; somebody else's answers like an unknown one."""
    ready = await host().ready(version_id)
    if ready.workspace_id != workspace_of(who):
        raise NotFound("This version of the flow does not exist.")
    return ready


async def _must_exist(tx: Tx, run_id: UUID) -> None:
    """Raises NotFound for a run that is not this workspace's: row security hides it."""
    if await tx.fetchval("select 1 from run where id = $1", run_id) is None:
        raise NotFound(GONE)


def may_run(who: Actor | UUID) -> None:
    if isinstance(who, Actor) and who.role == "viewer":
        raise NotAllowed(
            "You can look at runs, not start or change them.", remedy="Ask an owner to make you an editor."
        )


def input_text(value: Any, visitor: str = "") -> str:
    """A run's input as JSON. `visitor` travels in it, so that budgets per visitor hold."""
    if visitor and isinstance(value, dict):
        value = {**value, "visitor": visitor}
    text = msgspec.json.encode(value)
    if len(text) > MOST_INPUT:
        raise Refused(
            f"The input has {len(text):,} bytes; at most {MOST_INPUT:,} are taken.", status=413, code="input_too_large"
        )
    return text.decode()
