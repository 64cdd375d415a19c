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
from app.checks.service.travelling import ENDINGS, as_files, in_our_layout, take
from app.checks.service.trying import run, run_against

__all__ = [
    "ENDINGS",
    "FailedTest",
    "TestsGate",
    "as_files",
    "bring_back",
    "bring_suite_back",
    "change",
    "change_suite",
    "demand",
    "in_our_layout",
    "make_suite",
    "put",
    "record_anew",
    "remove",
    "remove_suite",
    "run",
    "run_against",
    "save_run",
    "suggested",
    "take",
    "take_recording_back",
]
