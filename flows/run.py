"""The engine of the durable lane: take a claimed run as far as it goes, with every step on record.

`advance` is what a worker calls. `run` is for tests and the command line: it claims, advances, sleeps through timers,
and raises when the run fails.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from flows.catalogue import Catalogue
from flows.compile import PlanCache
from flows.done import added
from flows.ending import Cancelled, Outcome, RunFailed, announce, close, in_doubt, told_of, unknown
from flows.fetching import RunValues
from flows.journal import Journal
from flows.keeping import Keeping
from flows.ledger.memory import MemoryLedger
from flows.ledger.protocol import Claim, Fault, Ledger, RunChange, RunRow, RunStatus, StepRow
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
from flows.undoing import UNDO, Armed, Undoing, armed_rows, begun, branch, changed, told
from flows.watching import OnlyPause, Stop, watch

Capabilities = Mapping[CapabilityName, Callable[[Context], Any]]
Listen = Callable[[dict[str, Any]], None]


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
        if doubts := [step for step in row.steps if step.status == "in_doubt" or unknown(step.status, step.effect)]:
            return await in_doubt(journal, doubts)
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
            vars=row.vars,
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
        watchers = watch(run, row, stop, signals)
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
        return await close(run, journal)

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
                watchers = watch(run, msgspec.structs.replace(row, deadline=None), OnlyPause(stop), signals)
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
                    return await close(run, journal)
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
                return {
                    id: await values.whole(out, f"What step '{id}' gave can't be read")
                    for id, out in outcome.outputs.items()
                }
            if outcome.status != "waiting":
                errors = [e for e in outcome.errors if isinstance(e, Exception)]
                failed = RunFailed(told_of(run_id, outcome), errors or [Cancelled(f"Run {run_id} was cancelled.")])
                failed.outcome = outcome
                raise failed
            if outcome.wake_at is None:
                raise TimeoutError(f"Run {run_id} waits for a signal. Send it, then run again.")
            await asyncio.sleep(max(0.0, outcome.wake_at - time.time()))
