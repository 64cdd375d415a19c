"""The engine of the durable lane: take a claimed run as far as it goes, with every step on record.

`advance` is what a worker calls. `run` is for tests and the command line: it claims, advances, sleeps through timers,
and raises when the run fails.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from flows.catalogue import Catalogue
from flows.compile import PlanCache
from flows.done import added
from flows.doubts import sentence
from flows.fetching import RunValues
from flows.journal import Journal
from flows.keeping import Keeping
from flows.ledger.memory import MemoryLedger
from flows.ledger.protocol import Claim, Fault, Ledger, RunChange, RunRow, RunStatus, StepChange, StepRow, awaited
from flows.limits import Limits
from flows.model import Flow
from flows.pauses import Key
from flows.plan import Plan
from flows.problems import Problems
from flows.running import Before, FlowOf, Running
from flows.sdk.capabilities import CapabilityName, Usage
from flows.sdk.context import Context, RunFacts, Signal
from flows.sdk.errors import NodeError
from flows.sdk.logs import RunLog
from flows.sdk.values import Json
from flows.stored import Later
from flows.undoing import UNDO, Armed, Undoing, armed_rows, begun, branch, changed, told

Capabilities = Mapping[CapabilityName, Callable[[Context], Any]]
Listen = Callable[[dict[str, Any]], None]


class Stop(Protocol):
    """What a worker may tell the engine from outside. `cancel`: end the run. `pause`: stop at the next step border."""

    cancel: asyncio.Event
    pause: asyncio.Event


class Outcome(Struct, frozen=True):
    """What `advance` achieved. `output`: JSON text of the result. `outputs`: by step id, of the flow's own level."""

    status: RunStatus
    output: str | None = None
    fault: Fault | None = None
    wake_at: float | None = None
    outputs: dict[str, Any] = msgspec.field(default_factory=dict)
    errors: tuple[BaseException, ...] = ()
    usage: Usage | None = None


class RunFailed(ExceptionGroup[Exception]):
    """`Engine.run` ended without success. `outcome` says how; the exceptions are those of the steps."""

    outcome: Outcome


class Cancelled(Exception):
    """The run was cancelled."""


class InDoubt(Exception):
    """A step that must not happen twice was interrupted: somebody has to say whether it happened."""


class Engine:
    def __init__(
        self,
        catalogue: Catalogue,
        ledger: Ledger,
        *,
        capabilities: Capabilities | None = None,
        flow_of: FlowOf | None = None,
        limits: Limits | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`flow_of(facts, version id)` gives the plan of another flow for the node that runs one.

        `keeping`: where results of steps are kept (rule 90).
        """
        self.plans = PlanCache(catalogue)
        self.ledger = ledger
        self.capabilities = capabilities or {}
        self.flow_of = flow_of
        self.limits = limits or Limits()
        self.keeping = keeping

    async def advance(
        self,
        claim: Claim,
        plan: Plan,
        *,
        row: RunRow | None = None,
        stop: Stop | None = None,
        listen: Listen | None = None,
        signals: "asyncio.Queue[Signal] | None" = None,
    ) -> Outcome:
        """Execute until the run ends, sleeps, is in doubt, or is stopped; the ledger knows it when this returns.

        `row`: what `ledger.load` gave, if the caller has it already. `signals`: those that arrive meanwhile.
        Raises LostRun when somebody else owns the run now, and whatever the ledger raises when it can't be reached.
        """
        row = row if row is not None else await self.ledger.load(claim)
        journal = Journal(self.ledger, claim)
        if doubts := [step for step in row.steps if step.status == "in_doubt" or _unknown(step.status, step.effect)]:
            return await self._in_doubt(journal, doubts)
        facts = RunFacts(
            row.run,
            row.input,
            workspace_id=row.workspace_id,
            flow_id=row.flow_id,
            version_id=row.version_id,
            trigger=row.trigger,
            deadline=row.deadline,
            capabilities=self.capabilities,
            emit=listen,
            keeping=self.keeping,
            afresh=row.afresh,
            log=RunLog(journal.event),
        )
        limits = self.limits
        if row.value_bytes is not None:
            limits = msgspec.structs.replace(limits, value_bytes=row.value_bytes)
        rows = {(step.node, step.iter): step for step in row.steps}
        if (undoing := begun(row.steps)) is not None:
            return await self._undo(
                journal, plan, facts, row, undoing, armed_rows(rows), rows, stop, signals, row.usage
            )
        try:
            run = Running(
                plan,
                facts,
                journal=journal,
                rows=rows,
                signals=list(row.signals),
                flow_of=self.flow_of,
                limits=limits,
                again=row.fault is not None,
                usage=row.usage,
                breaks=row.breaks,
                rounds=partial(self.ledger.rounds, claim) if rows else None,
                before=Before(row.repeats, row.stored_bytes),
            )
        except NodeError as error:
            fault = Fault(error.message)
            await journal.flush(RunChange("failed", fault=fault))
            return Outcome("failed", fault=fault, errors=(error,))
        announce(run, "run.started" if not rows else "run.resumed", journal)
        watchers = _watch(run, row, stop, signals)
        try:
            if row.cancel_requested:
                run.end("cancelled")
            else:
                run.start(run.top)
            await run.wait()
        finally:
            for watcher in watchers:
                watcher.cancel()
            await run.sweep_up()
        if run.broken is None and run.armed and run.ending in ("failed", "cancelled"):
            undoing = Undoing(run.ending, None if run.ending == "cancelled" else run.fault or run.top.fault)
            for key, armed in run.armed.items():
                journal.add(changed(key, armed, undoing, "started"))
            announce(run, "run.undoing", journal, error=undoing.fault.message if undoing.fault else None)
            usage, run.usage = run.usage, None
            return await self._undo(journal, plan, facts, row, undoing, run.armed, {}, stop, signals, usage)
        return await self._close(run, journal)

    async def _undo(
        self,
        journal: Journal,
        plan: Plan,
        facts: RunFacts,
        row: RunRow,
        undoing: Undoing,
        armed: dict[Key, Armed],
        rows: dict[Key, StepRow],
        stop: Stop | None,
        signals: "asyncio.Queue[Signal] | None",
        usage: Usage | None = None,
    ) -> Outcome:
        """Run the branches of what is armed, the last one first; then the run ends as `undoing` says."""
        await journal.flush()
        failures = [r.fault for r in rows.values() if r.effect == UNDO and r.status == "failed" and r.fault is not None]
        kept, resumed = list(row.signals), bool(rows)
        for key, one in sorted(armed.items(), key=lambda item: -item[1].order):
            fault: Fault | None
            try:
                body, own, prefix, edge = await branch(one, key, plan, facts, self.flow_of)
            except Exception as error:
                fault = Fault(f"The undo branch can't be found any more: {error}.", "", key[0], key[1], "Undo")
            else:
                if resumed and key[1]:
                    inner = await self.ledger.rounds(journal.claim, [key[1]])
                    rows = rows | {(r.node, r.iter): r for r in inner if (r.node, r.iter) not in armed}
                run = Running(
                    body,
                    own,
                    journal=journal,
                    rows=rows,
                    signals=kept,
                    flow_of=self.flow_of,
                    limits=self.limits,
                    rounds=partial(self.ledger.rounds, journal.claim) if resumed else None,
                    before=Before(row.repeats, row.stored_bytes),
                )
                run.top.prefix, run.top.iter = prefix, key[1]
                watchers = _watch(run, msgspec.structs.replace(row, deadline=None), _OnlyPause(stop), signals)
                try:
                    run.start(run.top, edge)
                    await run.wait()
                finally:
                    for watcher in watchers:
                        watcher.cancel()
                    await run.sweep_up()
                usage, kept, rows = added(usage, run.usage), run.pauses.signals, run.rows
                if run.broken is not None:
                    raise run.broken
                if run.ending in ("waiting", "queued", "in_doubt"):
                    run.usage = usage
                    return await self._close(run, journal)
                fault = run.top.fault
            if fault is not None:
                failures.append(fault)
            journal.add(changed(key, one, undoing, "succeeded" if fault is None else "failed", fault))
            await journal.flush()
        fault = told(undoing, failures)
        status: RunStatus = "failed" if undoing.status == "failed" else "cancelled"
        event = {"type": f"run.{status}", "run": facts.run_id}
        if fault is not None:
            event["error"] = fault.message
        if facts.emit is not None:
            facts.emit(event)
        journal.event(event)
        await journal.flush(RunChange(status, fault=fault, usage=usage))
        errors = (NodeError(fault.message),) if fault is not None else ()
        return Outcome(status, None, fault, None, {}, errors, usage)

    async def _in_doubt(self, journal: Journal, steps: list[Any]) -> Outcome:
        first = steps[0]
        said = sentence(first.node)
        fault = Fault(said, "", first.node, first.iter, "InDoubt")
        for step in steps:
            if step.status != "in_doubt":
                journal.add(StepChange(step.node, step.iter, "in_doubt", step.attempt, step.effect, fault=fault))
        journal.event({"type": "run.in_doubt", "run": journal.claim.run, "node": first.node, "error": said})
        await journal.flush(RunChange("in_doubt", fault=fault))
        return Outcome("in_doubt", fault=fault, errors=(InDoubt(said),))

    async def _close(self, run: Running, journal: Journal) -> Outcome:
        if run.broken is not None:
            raise run.broken
        top = run.top
        status: RunStatus = run.ending or "queued"
        fault, output, wake_at = run.fault or top.fault, None, None
        names: tuple[str, ...] = ()
        errors = tuple(error for error in (top.error or run.error,) if error is not None)
        if status == "succeeded" and top.result is not None:
            output = top.result.text_ if isinstance(top.result, Later) else run.values.recorded(top.result, "")
        if status == "waiting":
            parked = run.pauses.asleep
            wake_at = min((p.next_at for p in parked if p.next_at is not None), default=None)
            names = tuple(
                dict.fromkeys(
                    name
                    for p in parked
                    if p.wait is not None and p.wait.signal
                    for name in awaited(p.wait.signal, p.frame.prefix + p.step.id, p.frame.iter)
                )
            )
        if status != "queued":
            announce(
                run, f"run.{status}", journal, output=output, error=fault.message if fault else None, usage=run.usage
            )
        await journal.flush(RunChange(status, output, fault, wake_at, names, run.usage))
        outputs = {}
        for step, out in zip(top.plan.steps, top.outs, strict=True):
            if isinstance(out, step.outputs | Later):
                outputs[step.id] = out
        return Outcome(status, output, fault, wake_at, outputs, errors, run.usage)

    async def run(
        self,
        run_id: str,
        flow: Flow,
        input: Mapping[str, Json] | None = None,
        *,
        trigger: str = "",
        listen: Listen | None = None,
    ) -> dict[str, Any]:
        """Run a flow on a MemoryLedger to its end, sleeping through timers. Gives the outputs by step id.

        A run that was there before is taken up where it stood: steps that finished are not run again.
        Raises RunFailed (an ExceptionGroup of what the steps raised), ValueError with all problems for a flow that does
        not compile, and TimeoutError when the run waits for a signal that nobody can send here.
        """
        ledger = self.ledger
        if not isinstance(ledger, MemoryLedger):
            raise TypeError("Engine.run is for a MemoryLedger; a worker claims runs and calls advance.")
        plan = self.plans.compile(flow)
        if isinstance(plan, Problems):
            raise ValueError(f"This flow can't run:\n{plan}")
        ledger.open(run_id, input, trigger=trigger)
        while True:
            claim = ledger.claim(run_id)
            outcome = await self.advance(claim, plan, listen=listen)
            if outcome.status == "succeeded":
                values = RunValues(Journal(ledger, claim), self.limits, ())
                return {id: await values.whole(out, f"what step '{id}' gave") for id, out in outcome.outputs.items()}
            if outcome.status != "waiting":
                errors = [e for e in outcome.errors if isinstance(e, Exception)]
                failed = RunFailed(_sentence(run_id, outcome), errors or [Cancelled(f"Run {run_id} was cancelled.")])
                failed.outcome = outcome
                raise failed
            if outcome.wake_at is None:
                raise TimeoutError(f"Run {run_id} waits for a signal. Send it, then run again.")
            await asyncio.sleep(max(0.0, outcome.wake_at - time.time()))


class _OnlyPause:
    """While a run is being undone nobody can cancel that, and only a worker that shuts down may interrupt it."""

    def __init__(self, stop: Stop | None) -> None:
        self.cancel = asyncio.Event()
        self.pause = stop.pause if stop is not None else asyncio.Event()


def announce(run: Running, type: str, journal: Journal | None, **more: Any) -> None:
    event = {"type": type, "run": run.facts.run_id, **{key: value for key, value in more.items() if value is not None}}
    if run.facts.emit is not None:
        run.facts.emit(event)
    if journal is not None:
        journal.event(event)


def _unknown(status: str, effect: str) -> bool:
    return status == "started" and effect == "at_most_once"  # a probe is asked when the step is reached


def _sentence(run_id: str, outcome: Outcome) -> str:
    return f"Run {run_id} {outcome.status}: {outcome.fault.message if outcome.fault else 'no reason given'}"


def _watch(
    run: Running, row: RunRow, stop: Stop | None, signals: "asyncio.Queue[Signal] | None"
) -> list["asyncio.Task[None] | asyncio.TimerHandle"]:
    """What may end or change the run from outside."""

    def too_late() -> None:
        run.fault = Fault(
            "The run took longer than its time limit. Raise the limit, or make it do less.", kind="Deadline"
        )
        run.end("failed")

    def pause() -> None:
        run.pausing = True
        run.loop.call_soon(run._idle)

    async def when(event: asyncio.Event, act: Callable[[], None]) -> None:
        await event.wait()
        act()

    async def take(queue: "asyncio.Queue[Signal]") -> None:
        while True:
            run.pauses.deliver(await queue.get())

    watchers: list[asyncio.Task[None] | asyncio.TimerHandle] = []
    if row.deadline is not None:
        watchers.append(run.loop.call_later(max(0.0, row.deadline - time.time()), too_late))
    if stop is not None:
        watchers.append(run.loop.create_task(when(stop.cancel, lambda: run.end("cancelled"))))
        watchers.append(run.loop.create_task(when(stop.pause, pause)))
    if signals is not None:
        watchers.append(run.loop.create_task(take(signals)))
    return watchers
