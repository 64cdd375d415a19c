"""Tests as a file beside their flow: support.json, support.tests.json. Steady order, so that git shows what changed."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from app import clock
from app.checks.naming import told_apart
from app.checks.opinions import Opinions
from app.checks.shapes import Case, CaseView, Result
from app.errors import Refused
from app.gateway.service.asking import asking_here
from app.runs.service import rehearse_here
from flows.model import Flow

ENDING = ".tests.json"


def beside(flow_file: Path) -> Path:
    """The file of tests that belongs to a flow file."""
    return flow_file.with_name(flow_file.stem + ENDING)


def write(cases: Sequence[CaseView]) -> str:
    """The tests as text, by name. Results and ids stay behind."""
    return written([case for case, _ in in_order(cases)])


def in_order(cases: Sequence[CaseView]) -> list[tuple[Case, CaseView]]:
    """Each test as its file has it: by name, which no two share there."""
    names = told_apart(view.case.name for view in cases)
    made = [(msgspec.structs.replace(view.case, name=name), view) for view, name in zip(cases, names, strict=True)]
    return sorted(made, key=lambda pair: pair[0].name)


def written(cases: Iterable[Case]) -> str:
    """The text of a file of these tests, by name."""
    plain = sorted(cases, key=lambda case: case.name)
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def read(text: bytes) -> list[Case]:
    """Raises Refused when it is no file of tests."""
    try:
        found = msgspec.json.decode(text, type=list[Case])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(f"This is no file of tests: {error}.", remedy="Export the flow with its tests again.") from None
    names = [case.name for case in found]
    if len(set(names)) < len(names):
        raise Refused("Two tests of this file have one name.", remedy="Give one another name.")
    return [msgspec.structs.replace(case, suites=sorted(set(case.suites))) for case in found]


async def run_here(document: Flow, case: Case) -> Result:
    """One test without a server: nothing is kept, and a step without a recorded answer asks for real."""
    began = clock.now()
    try:
        record = await rehearse_here(document, case.input, case.answers, trigger=case.trigger)
    except Refused as problem:
        return Result("failed", began, str(problem))
    if record.status != "succeeded":
        said = record.fault.message if record.fault is not None else ""
        return Result("failed", began, f"The run {record.status}: {said}", ms=record.ms)
    output = None if record.output is None else msgspec.to_builtins(record.output)
    async with asking_here() as asker:
        verdicts = await Opinions(asker, "").judged(case.expect, output, case.input)
    passed = all(verdict.passed for verdict in verdicts)
    cost = record.usage.cost_micros if record.usage is not None else 0
    return Result("passed" if passed else "failed", began, "", verdicts, record.ms, cost)
