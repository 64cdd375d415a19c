"""Runs in a dict: for tests and for `agentbase run`. Gone with the process."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from flows.ledger.protocol import FINAL, SETTLED, Claim, LostRun, RunChange, RunRow, StepChange, StepRow
from flows.sdk.capabilities import Usage, added
from flows.sdk.context import Signal
from flows.sdk.values import Json
from flows.stored import checked


class MemoryLedger:
    """Same behaviour as the PostgreSQL ledger (tests/flows/ledger_conformance.py runs on both), one process only."""

    def __init__(self) -> None:
        self.runs: dict[str, RunRow] = {}
        self.epochs: dict[str, int] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.writes = 0
        self.tries: dict[str, dict[tuple[str, str, int], Usage]] = {}
        self.values: dict[str, dict[str, bytes]] = {}

    def open(self, run: str, input: Mapping[str, Json] | None = None, **facts: Any) -> None:
        """Add a queued run. A run that exists already stays as it is."""
        if run not in self.runs:
            self.runs[run] = RunRow(run, input=dict(input or {}), **facts)
            self.epochs[run] = 0
            self.events[run] = []

    def claim(self, run: str) -> Claim:
        """What the worker's claim does: the epoch grows, every older claim is fenced off."""
        self.epochs[run] += 1
        self.runs[run] = structs.replace(self.runs[run], status="running")
        return Claim(run, self.epochs[run])

    def signal(self, run: str, signal: Signal) -> None:
        row = self.runs[run]
        status = "queued" if row.status == "waiting" else row.status
        self.runs[run] = structs.replace(row, status=status, signals=[*row.signals, signal])

    def cancel(self, run: str) -> None:
        self.runs[run] = structs.replace(self.runs[run], cancel_requested=True)

    async def load(self, claim: Claim) -> RunRow:
        self._guard(claim)
        usage = None
        for one in self.tries.get(claim.run, {}).values():
            usage = added(usage, one)
        run = self.runs[claim.run]
        return structs.replace(
            run,
            usage=usage,
            steps=[row for row in run.steps if not row.iter or row.status not in SETTLED or row.effect == "undo"],
            stored_bytes=sum(map(len, self.values.get(claim.run, {}).values())),
            repeats=sum(row.attempt - 1 for row in run.steps if row.attempt > 1),
        )

    async def rounds(self, claim: Claim, iters: Sequence[str]) -> Sequence[StepRow]:
        wanted = set(iters)
        return [row for row in self.runs[claim.run].steps if row.iter in wanted]

    async def write(
        self,
        claim: Claim,
        steps: Sequence[StepChange] = (),
        run: RunChange | None = None,
        events: Sequence[dict[str, Any]] = (),
        used: Sequence[Signal] = (),
    ) -> None:
        self._guard(claim)
        for act in (act for change in steps for act in change.acts):
            await act(self)
        self.writes += 1
        old = self.runs[claim.run]
        signals = [s for s in old.signals if s not in used]
        rows = {(row.node, row.iter): row for row in old.steps}
        for change in steps:
            rows[change.node, change.iter] = _row(change)
            if change.usage is not None:
                self.tries.setdefault(claim.run, {})[change.node, change.iter, change.attempt] = change.usage
        new = structs.replace(old, steps=list(rows.values()), signals=signals)
        if run is not None and old.status not in FINAL:
            status = "queued" if run.status == "waiting" and (signals or old.cancel_requested) else run.status
            new = structs.replace(new, status=status, output=run.output, fault=run.fault)
        self.runs[claim.run] = new
        self.events[claim.run] += events

    async def keep(self, claim: Claim, values: Mapping[str, bytes]) -> None:
        self.values.setdefault(claim.run, {}).update(values)

    async def fetch(self, claim: Claim, hash: str) -> bytes:
        return checked(hash, self.values.get(claim.run, {}).get(hash))

    def _guard(self, claim: Claim) -> None:
        if self.epochs.get(claim.run) != claim.epoch:
            raise LostRun(f"Run {claim.run} is not ours any more: epoch {claim.epoch} is over.")


def _row(change: StepChange) -> StepRow:
    return StepRow(
        change.node,
        change.iter,
        change.status,
        change.attempt,
        change.effect,
        change.output,
        change.fault,
        change.handled,
        change.next_at,
        change.wait,
        change.signal,
        change.usage,
    )
