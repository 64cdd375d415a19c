"""Several steps of a run share one write. None of them may begin on the word of a write that did not happen."""

import asyncio
from typing import Any

import pytest

from flows.journal import Journal
from flows.ledger import Claim, LostRun, MemoryLedger, StepChange


class Slow(MemoryLedger):
    """Its writes take until they are let through, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.error: Exception | None = None
        self.entered = asyncio.Event()

    async def write(self, claim: Claim, *what: Any, **more: Any) -> None:
        self.entered.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        await super().write(claim, *what, **more)


@pytest.fixture
def ledger() -> Slow:
    made = Slow()
    made.open("r")
    return made


def begun(ledger: Slow) -> set[str]:
    return {row.node for row in ledger.runs["r"].steps}


async def two_flushes(ledger: Slow) -> tuple[asyncio.Task[None], asyncio.Task[None]]:
    """Two steps that are on their way: the first writes for both."""
    journal = Journal(ledger, ledger.claim("r"))
    for node in ("a", "b"):
        journal.add(StepChange(node, "", "started", 1, "at_most_once"))
    first = asyncio.create_task(journal.flush())
    await ledger.entered.wait()
    second = asyncio.create_task(journal.flush())
    await asyncio.sleep(0)
    return first, second


async def test_who_waits_for_the_write_of_another_fails_with_it(ledger):
    first, second = await two_flushes(ledger)
    ledger.error = LostRun("somebody else has it")
    ledger.gate.set()
    for flush in (first, second):
        with pytest.raises(LostRun):
            await flush
    assert not begun(ledger)


async def test_who_waits_for_a_writer_that_is_called_off_goes_on_when_the_write_has_landed(ledger):
    first, second = await two_flushes(ledger)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.sleep(0)
    assert not second.done() and not begun(ledger)
    ledger.gate.set()
    await second
    assert begun(ledger) == {"a", "b"}


async def test_nothing_is_written_after_a_write_that_failed(ledger):
    journal = Journal(ledger, ledger.claim("r"))
    ledger.gate.set()
    ledger.error = LostRun("somebody else has it")
    journal.add(StepChange("a", "", "started"))
    with pytest.raises(LostRun):
        await journal.flush()
    ledger.error = None
    journal.add(StepChange("b", "", "started"))
    with pytest.raises(LostRun):
        await journal.flush()
    assert not begun(ledger)
