"""What people do with tests. Every verb takes the actor first."""

from app.checks.service.cases import bring_back, change, demand, put, remove, save_run, suggested
from app.checks.service.gate import FailedTest, TestsGate
from app.checks.service.trying import run, run_against

__all__ = [
    "FailedTest",
    "TestsGate",
    "bring_back",
    "change",
    "demand",
    "put",
    "remove",
    "run",
    "run_against",
    "save_run",
    "suggested",
]
