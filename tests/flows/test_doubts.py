"""Steps that must not happen twice, and nobody knows how they ended."""

import asyncio
from typing import Any

import pytest

from flows.ledger import MemoryLedger, StepChange
from flows.model import NodeUse, Retry
from flows.run import Engine, Outcome
from flows.sdk import Context, NodeError, node
from tests.flows.nodes import Log, Nothing, Passed, Text, flow


class Bank:
    """The outside world: what was sent to it, and what it does with the next call."""

    def __init__(self) -> None:
        self.booked: list[str] = []
        self.asked = 0
        self.next: list[Any] = []
        self.mute = False

    async def book(self, key: str) -> None:
        act = self.next.pop(0) if self.next else None
        if act == "lost":
            raise ConnectionResetError("the line broke before anything was sent")
        self.booked.append(key)
        if act == "late":
            await asyncio.sleep(60)
        if isinstance(act, Exception):
            raise act

    async def look(self, key: str) -> Text | None:
        self.asked += 1
        if self.mute:
            raise ConnectionResetError("nobody answers")
        return Text("booked") if key in self.booked else None


def kinds(bank: Bank) -> dict[str, Any]:
    async def probe(settings: Nothing, inputs: Passed, ctx: Context) -> Text | None:
        return await bank.look(ctx.idempotency_key)

    @node("once", version=1, title="Once", effect="at_most_once")
    async def once(settings: Nothing, inputs: Passed, ctx: Context) -> Text:
        await bank.book(ctx.idempotency_key)
        return Text("booked")

    @node("probed", version=1, title="Probed", effect="probe", probe=probe)
    async def probed(settings: Nothing, inputs: Passed, ctx: Context) -> Text:
        await bank.book(ctx.idempotency_key)
        return Text("booked")

    @node("blind", version=1, title="Blind", effect="probe")
    async def blind(settings: Nothing, inputs: Passed, ctx: Context) -> Text:
        await bank.book(ctx.idempotency_key)
        return Text("booked")

    from tests.flows.nodes import nodes

    return nodes(Log()) | {kind.name: kind for kind in (once, probed, blind)}


async def run(bank: Bank, use: NodeUse, *after: StepChange) -> tuple[Outcome, MemoryLedger]:
    """One claim of a run. `after`: what a claim before this one had written when it died."""
    from flows.compile import compile

    plan = compile(flow(use, NodeUse("next", "pass"), wires="a.text>next.value"), kinds(bank))
    ledger = MemoryLedger()
    ledger.open("r")
    if after:
        await ledger.write(ledger.claim("r"), list(after))
    engine = Engine(kinds(bank), ledger)
    return await engine.advance(ledger.claim("r"), plan), ledger


def statuses(ledger: MemoryLedger) -> dict[str, str]:
    return {row.node: row.status for row in ledger.runs["r"].steps}


@pytest.mark.parametrize("what", ["late", ConnectionResetError("gone"), ZeroDivisionError()])
async def test_a_time_limit_or_an_unhandled_error_of_a_step_that_must_not_happen_twice_is_a_doubt(what):
    bank = Bank()
    bank.next = [what]
    outcome, ledger = await run(bank, NodeUse("a", "once", timeout=0.05, retry=Retry(5, 0.001)))
    assert outcome.status == "in_doubt" and len(bank.booked) == 1
    assert outcome.fault is not None and "Say whether it happened" in outcome.fault.message
    assert statuses(ledger)["a"] == "in_doubt" and ledger.runs["r"].status == "in_doubt"


async def test_a_component_that_says_it_failed_is_believed():
    bank = Bank()
    bank.next = [NodeError("The account is closed.")]
    outcome, _ = await run(bank, NodeUse("a", "once"))
    assert outcome.status == "failed"


async def test_an_author_who_chose_what_happens_on_an_error_is_not_asked():
    bank = Bank()
    bank.next = ["late"]
    outcome, ledger = await run(bank, NodeUse("a", "once", timeout=0.05, on_error="continue"))
    assert outcome.status == "succeeded" and statuses(ledger)["a"] == "failed" and len(bank.booked) == 1


@pytest.mark.parametrize(("what", "calls"), [("late", 1), (ConnectionResetError("gone"), 1), ("lost", 2)])
async def test_a_probe_is_asked_after_an_unknown_outcome_and_only_what_did_not_happen_is_tried_again(what, calls):
    bank = Bank()
    bank.next = [what]
    outcome, _ = await run(bank, NodeUse("a", "probed", timeout=0.05, retry=Retry(3, 0.001)))
    assert outcome.status == "succeeded" and len(bank.booked) == 1 and bank.asked == 1
    assert outcome.outputs["a"] == Text("booked")


async def test_what_a_probe_says_did_not_happen_has_failed_when_there_is_no_further_try():
    bank = Bank()
    bank.next = ["lost"]
    outcome, _ = await run(bank, NodeUse("a", "probed"))
    assert outcome.status == "failed" and "surely did not take effect" in (outcome.fault or outcome).message


async def test_a_probe_that_cannot_tell_leaves_it_to_a_person():
    bank = Bank()
    bank.next, bank.mute = ["late"], True
    outcome, _ = await run(bank, NodeUse("a", "probed", timeout=0.05, retry=Retry(3, 0.001)))
    assert outcome.status == "in_doubt" and len(bank.booked) == 1


@pytest.mark.parametrize("happened", [True, False])
async def test_after_a_crash_the_probe_is_asked_first(happened):
    bank = Bank()
    use = NodeUse("a", "probed")
    if happened:
        from hashlib import blake2b

        bank.booked.append(blake2b(b"r:a", digest_size=20, person=b"agentbase.step").hexdigest())
    outcome, _ = await run(bank, use, StepChange("a", "", "started", 1, "probe"))
    assert outcome.status == "succeeded" and len(bank.booked) == 1 and bank.asked == 1


async def test_after_a_crash_a_step_whose_type_has_no_probe_is_a_doubt():
    bank = Bank()
    outcome, ledger = await run(bank, NodeUse("a", "blind"), StepChange("a", "", "started", 1, "probe"))
    assert outcome.status == "in_doubt" and not bank.booked and statuses(ledger)["a"] == "in_doubt"


async def test_what_ran_beside_a_doubt_is_called_off_and_runs_again_after_the_decision():
    bank = Bank()
    bank.next = ["late"]
    from flows.compile import compile

    made = flow(NodeUse("a", "once", timeout=0.05), NodeUse("b", "ask", settings={"after": 0.3}))
    log = Log()
    from tests.flows.nodes import nodes

    catalogue = kinds(bank) | {"ask": nodes(log)["ask"]}
    plan, ledger = compile(made, catalogue), MemoryLedger()
    ledger.open("r")
    engine = Engine(catalogue, ledger)
    assert (await engine.advance(ledger.claim("r"), plan)).status == "in_doubt"
    assert statuses(ledger) == {"a": "in_doubt", "b": "cancelled"}
    claim = ledger.claim("r")
    await ledger.write(claim, [StepChange("a", "", "succeeded", 1, "at_most_once", '{"text":"booked"}')])
    outcome = await engine.advance(ledger.claim("r"), plan)
    assert outcome.status == "succeeded" and len(bank.booked) == 1 and log.count("b") == 2
