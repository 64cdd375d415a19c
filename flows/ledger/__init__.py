"""Where runs are kept: in memory (express lane, tests, command line) or in PostgreSQL (durable lane)."""

from flows.ledger.memory import MemoryLedger
from flows.ledger.protocol import Claim, Fault, Ledger, LostRun, RunChange, RunRow, StepChange, StepRow

__all__ = ["Claim", "Fault", "Ledger", "LostRun", "MemoryLedger", "RunChange", "RunRow", "StepChange", "StepRow"]
