"""What people do with tests. Every verb takes the actor first."""

from app.checks.service.cases import (
    bring_back,
    change,
    demand,
    put,
    record_anew,
    remove,
    save_run,
    suggested,
    take_recording_back,
)
from app.checks.service.gate import FailedTest, TestsGate
from app.checks.service.suites import bring_suite_back, change_suite, make_suite, remove_suite
from app.checks.service.trying import run, run_against

__all__ = [
    "FailedTest",
    "TestsGate",
    "bring_back",
    "bring_suite_back",
    "change",
    "change_suite",
    "demand",
    "make_suite",
    "put",
    "record_anew",
    "remove",
    "remove_suite",
    "run",
    "run_against",
    "save_run",
    "suggested",
    "take_recording_back",
]
