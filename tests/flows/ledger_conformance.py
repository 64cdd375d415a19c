"""What every ledger must do, whatever it keeps runs in. A ledger's own test subclasses LedgerConformance.

The subclass gives a fixture `bench` (LedgerBench): the ledger, and what a worker or the API do around it.
Rule numbers are those of docs/flow-semantics.md.
"""

from typing import Any, Protocol

import msgspec
import pytest

from flows.ledger.protocol import Claim, Fault, Ledger, LostRun, RunChange, RunRow, StepChange, StepRow
from flows.sdk.capabilities import Usage
from flows.sdk.context import Signal, Wait
from flows.stored import Lost, reference


class LedgerBench(Protocol):
    ledger: Ledger

    async def open(self, input: dict[str, Any] | None = None) -> str:
        """A queued run; gives its id."""
        ...

    async def claim(self, run: str) -> Claim:
        """Claim this run, whatever state it is in, as the only worker."""
        ...

    async def signal(self, run: str, signal: Signal) -> None: ...

    async def cancel(self, run: str) -> None: ...

    async def status(self, run: str) -> str: ...

    async def events(self, run: str) -> list[dict[str, Any]]: ...


def step(row: RunRow, node: str, iter: str = "") -> StepRow:
    return next(s for s in row.steps if (s.node, s.iter) == (node, iter))


class LedgerConformance:
    async def test_a_fresh_run_has_its_input_and_no_steps(self, bench: LedgerBench):
        run = await bench.open({"message": "hi", "n": 1})
        row = await bench.ledger.load(await bench.claim(run))
        assert (row.run, row.input, list(row.steps), list(row.signals)) == (run, {"message": "hi", "n": 1}, [], [])
        assert not row.cancel_requested

    async def test_rule_71_the_usage_of_all_tries_is_loaded_each_once(self, bench: LedgerBench):
        run = await bench.open()
        claim = await bench.claim(run)
        failed = StepChange("a", "", "backoff", 1, "repeatable_costed", fault=Fault("No."), usage=Usage(1, 2, 3))
        done = StepChange("a", "", "succeeded", 2, "repeatable_costed", "{}", usage=Usage(10, 20, 30))
        await bench.ledger.write(claim, [failed])
        await bench.ledger.write(claim, [done], RunChange("queued", usage=Usage(11, 22, 33)))
        claim = await bench.claim(run)
        assert (await bench.ledger.load(claim)).usage == Usage(11, 22, 33)
        await bench.ledger.write(claim, [done], RunChange("queued", usage=Usage(11, 22, 33)))
        assert (await bench.ledger.load(await bench.claim(run))).usage == Usage(11, 22, 33)

    async def test_what_was_written_about_a_step_is_what_is_loaded(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        await bench.ledger.write(
            claim,
            [
                StepChange(
                    "a", "", "succeeded", 2, "idempotent", '{"text":"hé"}', ms=12.5, usage=Usage(3, 4, 5),
                    idempotency_key="k1",
                ),
                StepChange("b", "", "failed", 1, "pure", '{"error":{}}', Fault("No.", "url", "b"), handled=True),
                StepChange("c", "", "skipped", 0),
            ],
        )  # fmt: skip
        row = await bench.ledger.load(claim)
        a, b = step(row, "a"), step(row, "b")
        assert (a.status, a.attempt, a.effect, a.usage) == ("succeeded", 2, "idempotent", Usage(3, 4, 5))
        assert a.output is not None and a.output.replace(" ", "") == '{"text":"hé"}'
        assert (b.status, b.handled, b.fault and b.fault.message, b.fault and b.fault.field) == (
            "failed",
            True,
            "No.",
            "url",
        )
        assert step(row, "c").status == "skipped"

    async def test_the_same_step_in_two_rounds_has_two_rows(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        await bench.ledger.write(
            claim,
            [StepChange("x", "0", "succeeded", output="1"), StepChange("x", "1.2", "succeeded", output="2")],
        )
        rows = await bench.ledger.rounds(claim, ["0", "1.2", "7"])
        assert {(row.node, row.iter): row.output for row in rows} == {("x", "0"): "1", ("x", "1.2"): "2"}

    async def test_of_rounds_only_what_is_open_is_loaded_with_the_run_the_rest_when_it_is_asked_for(
        self, bench: LedgerBench
    ):
        claim = await bench.claim(await bench.open())
        settled = [StepChange("x", str(i), "succeeded", output=str(i)) for i in range(30)]
        await bench.ledger.write(
            claim,
            [
                *settled,
                StepChange("y", "3", "waiting", wait=Wait(signal="go")),
                StepChange("z", "4", "succeeded", 3, "undo", "{}"),
                StepChange("each", "", "succeeded", 2, output="[]"),
            ],
        )
        row = await bench.ledger.load(claim)
        assert {(s.node, s.iter) for s in row.steps} == {("y", "3"), ("z", "4"), ("each", "")}
        assert row.repeats == 3
        rows = await bench.ledger.rounds(claim, ["3", "29", "30"])
        assert {(s.node, s.iter, s.output) for s in rows} == {("x", "3", "3"), ("y", "3", None), ("x", "29", "29")}
        assert await bench.ledger.rounds(claim, []) == []

    async def test_changes_of_one_write_apply_in_order(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        started = StepChange("a", "", "started", 1, "at_most_once", idempotency_key="k2")
        await bench.ledger.write(claim, [started, StepChange("a", "", "succeeded", 1, "at_most_once", "{}")])
        assert step(await bench.ledger.load(claim), "a").status == "succeeded"

    async def test_a_later_attempt_replaces_the_row(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        await bench.ledger.write(claim, [StepChange("a", "", "started", 1, "idempotent")])
        await bench.ledger.write(
            claim, [StepChange("a", "", "backoff", 1, "idempotent", fault=Fault("busy"), next_at=4e9)]
        )
        row = step(await bench.ledger.load(claim), "a")
        assert (row.status, row.attempt) == ("backoff", 1)
        assert row.next_at is not None and abs(row.next_at - 4e9) < 5
        await bench.ledger.write(claim, [StepChange("a", "", "started", 2, "idempotent")])
        row = step(await bench.ledger.load(claim), "a")
        assert (row.status, row.attempt) == ("started", 2)

    async def test_an_older_claim_is_fenced_off_and_changes_nothing(self, bench: LedgerBench):
        run = await bench.open()
        old = await bench.claim(run)
        new = await bench.claim(run)
        with pytest.raises(LostRun):
            await bench.ledger.write(old, [StepChange("a", "", "succeeded", output="{}")], RunChange("succeeded"))
        with pytest.raises(LostRun):
            await bench.ledger.load(old)
        row = await bench.ledger.load(new)
        assert list(row.steps) == [] and row.status == "running"

    async def test_a_wait_is_kept_with_everything_the_person_is_asked(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        wait = Wait(signal="approval", title="Send it?", choices=("approve", "reject"), data={"total": 3})
        await bench.ledger.write(
            claim,
            [StepChange("ask", "", "waiting", wait=wait, next_at=4e9)],
            RunChange("waiting", wake_at=4e9, signals=("approval",)),
        )
        run = claim.run
        assert await bench.status(run) == "waiting"
        row = await bench.ledger.load(await bench.claim(run))
        asked = step(row, "ask")
        assert asked.wait == wait
        assert asked.next_at is not None and abs(asked.next_at - 4e9) < 5

    async def test_a_signal_makes_a_sleeping_run_claimable_and_is_there_until_used(self, bench: LedgerBench):
        run = await bench.open()
        claim = await bench.claim(run)
        wait = Wait(signal="approval")
        await bench.ledger.write(claim, [StepChange("ask", "", "waiting", wait=wait)], RunChange("waiting"))
        given = Signal("approval", {"choice": "approve"}, "user-1")
        await bench.signal(run, given)
        assert await bench.status(run) == "queued"
        claim = await bench.claim(run)
        row = await bench.ledger.load(claim)
        assert list(row.signals) == [given]
        await bench.ledger.write(claim, [StepChange("ask", "", "started", 1, "idempotent", signal=given)], used=[given])
        row = await bench.ledger.load(claim)
        assert list(row.signals) == [] and step(row, "ask").signal == given

    async def test_a_signal_that_came_before_the_run_fell_asleep_keeps_it_awake(self, bench: LedgerBench):
        run = await bench.open()
        claim = await bench.claim(run)
        await bench.signal(run, Signal("approval"))
        await bench.ledger.write(
            claim,
            [StepChange("ask", "", "waiting", wait=Wait(signal="approval"))],
            RunChange("waiting", signals=("approval",)),
        )
        assert await bench.status(run) == "queued"

    async def test_a_cancel_that_came_before_the_run_fell_asleep_keeps_it_awake(self, bench: LedgerBench):
        run = await bench.open()
        claim = await bench.claim(run)
        await bench.cancel(run)
        await bench.ledger.write(claim, [StepChange("w", "", "waiting", wait=Wait(seconds=9))], RunChange("waiting"))
        assert await bench.status(run) == "queued"
        assert (await bench.ledger.load(await bench.claim(run))).cancel_requested

    async def test_the_end_of_a_run_keeps_its_output_and_fault(self, bench: LedgerBench):
        for status, output, fault in (("succeeded", '{"text":"ok"}', None), ("failed", None, Fault("No.", node="a"))):
            claim = await bench.claim(await bench.open())
            await bench.ledger.write(claim, run=RunChange(status, output, fault, usage=Usage(1, 2, 3)))
            assert await bench.status(claim.run) == status

    async def test_events_are_kept_in_the_order_of_writing(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        await bench.ledger.write(claim, events=[{"type": "run.started", "run": claim.run}])
        await bench.ledger.write(
            claim, events=[{"type": "step.started", "node": "a"}, {"type": "step.succeeded", "node": "a"}]
        )
        types = [event["type"] for event in await bench.events(claim.run)]
        assert [t for t in types if t in ("run.started", "step.started", "step.succeeded")] == [
            "run.started",
            "step.started",
            "step.succeeded",
        ]

    async def test_what_is_kept_for_a_run_is_fetched_by_its_hash_and_for_no_other_run(self, bench: LedgerBench):
        mine, other = await bench.claim(await bench.open()), await bench.claim(await bench.open())
        raw = msgspec.json.encode("é" * 1_500_000)  # more than one piece
        one = reference(raw)
        await bench.ledger.keep(mine, {one.hash: raw})
        await bench.ledger.keep(mine, {one.hash: raw})
        assert await bench.ledger.fetch(mine, one.hash) == raw
        with pytest.raises(Lost):
            await bench.ledger.fetch(other, one.hash)
        await bench.ledger.keep(other, {one.hash: raw, reference(b"[1]").hash: b"[1]"})
        assert await bench.ledger.fetch(other, one.hash) == raw
        assert await bench.ledger.fetch(other, reference(b"[1]").hash) == b"[1]"
        with pytest.raises(Lost, match="not in storage any more"):
            await bench.ledger.fetch(mine, reference(b"[2]").hash)

    async def test_values_that_are_kept_leave_the_run_as_it_is(self, bench: LedgerBench):
        claim = await bench.claim(await bench.open())
        before = await bench.ledger.load(claim)
        await bench.ledger.keep(claim, {reference(b"[1]").hash: b"[1]"})
        assert await bench.ledger.load(claim) == msgspec.structs.replace(before, stored_bytes=3)
        await bench.ledger.write(claim, [], RunChange("succeeded", "{}"))
        assert await bench.status(claim.run) == "succeeded"
