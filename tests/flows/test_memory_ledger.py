from itertools import count
from typing import Any

import pytest

from flows.ledger import Claim, MemoryLedger
from flows.sdk.context import Signal
from tests.flows.ledger_conformance import LedgerConformance

_ids = count()


class MemoryBench:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()

    async def open(self, input: dict[str, Any] | None = None) -> str:
        run = f"run-{next(_ids)}"
        self.ledger.open(run, input)
        return run

    async def claim(self, run: str) -> Claim:
        return self.ledger.claim(run)

    async def signal(self, run: str, signal: Signal) -> None:
        self.ledger.signal(run, signal)

    async def cancel(self, run: str) -> None:
        self.ledger.cancel(run)

    async def status(self, run: str) -> str:
        return self.ledger.runs[run].status

    async def events(self, run: str) -> list[dict[str, Any]]:
        return self.ledger.events[run]


class TestMemoryLedger(LedgerConformance):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()
