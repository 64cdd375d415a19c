"""What a test is and what it finds. Plain data: stored as JSON, written into files, sent by the API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.runs.service import Answer
from app.web.worddiff import Piece

Kind = Literal["exact", "contains", "json", "schema", "cel", "similar", "judge"]
Status = Literal["running", "passed", "failed"]
WORDS: dict[str, str] = {
    "exact": "is exactly",
    "contains": "contains",
    "json": "holds this JSON",
    "schema": "fits this JSON Schema",
    "cel": "makes this true",
    "similar": "means about this",
    "judge": "is good by this rubric",
}
LEAST: dict[str, float] = {"similar": 0.7, "judge": 0.7}
"""Comparisons with a score, and what it has to be where an expectation does not say: 0 to 1."""
MOST_CASES = 200
MOST_SUITES = 20
MOST_CHECKS = 20
MOST_BYTES = 2_000_000
"""Bytes of one test with its recorded answers, as JSON."""


SuiteName = Annotated[str, Meta(min_length=1, max_length=80, title="Name")]


class Expectation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that must hold of the result. `path`: which part of it, as in an expression ("text", "items[0].name").

    `path` "" = all of it; an object with the one field "text" is taken as that text. `value`: a text, JSON, a JSON
    Schema, a CEL expression or a rubric, by `kind`; an expression knows the fields of the result, `output` and `input`.
    `least`: the score that is needed, for those that have one. `model`: who judges by a rubric, "" = the workspace's.
    """

    kind: Kind
    value: Annotated[str, Meta(max_length=100_000)]
    path: Annotated[str, Meta(max_length=300)] = ""
    least: Annotated[float, Meta(ge=0, le=1)] | None = None
    model: Annotated[str, Meta(max_length=200)] = ""


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What became of one expectation. `said`: a sentence. `diff`: expected text beside the one that came.

    `score`: 0 to 1, for comparisons that have one; `cost_micros`: what asking for it came to.
    """

    kind: str
    path: str
    passed: bool
    said: str
    expected: str = ""
    actual: str = ""
    diff: list[Piece] = []
    score: float | None = None
    cost_micros: int = 0

    @property
    def words(self) -> str:
        return f"{self.path or 'The result'} {WORDS.get(self.kind, self.kind)}"


class Case(Struct, frozen=True, omit_defaults=True):
    """One test. `trigger`: what started the recorded run, so that the same start step begins. `suites`: by name."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    input: Any
    expect: list[Expectation]
    answers: list[Answer] = []
    trigger: str = ""
    suites: Annotated[list[SuiteName], Meta(max_length=MOST_SUITES)] = []


class Result(Struct, frozen=True):
    """One time a test ran. `error`: why the run itself failed, "" = it did not. `ms`, `cost_micros` of that run."""

    status: Status
    at: datetime
    error: str = ""
    verdicts: list[Verdict] = []
    ms: float = 0
    cost_micros: int = 0
    run_id: UUID | None = None

    @property
    def why(self) -> str:
        """The first thing that was wrong, in a sentence; "" when it passed."""
        return self.error or next((verdict.said for verdict in self.verdicts if not verdict.passed), "")


class Recording(Struct, frozen=True):
    """Recorded answers of one step as people see them. `stale`: the step was changed since; `moved`: something that
    comes before it was; `gone`: it is no more.
    """

    node: str
    title: str
    kind: str
    icon: str
    family: str
    answers: list[Answer]
    stale: bool
    gone: bool
    moved: bool = False


class CaseView(Struct, frozen=True):
    """A test as it stands. `last`: its last result. `missing`: steps that ask for real, for no answer is recorded.

    `recorded_before`: its last recording can be taken back.
    """

    id: UUID
    flow_id: UUID
    case: Case
    recordings: list[Recording]
    missing: list[str]
    last: Result | None
    source_run: UUID | None
    updated_at: datetime
    recorded_before: bool = False

    @property
    def stale(self) -> list[Recording]:
        """Those that may not be what the step would give now."""
        return [recording for recording in self.recordings if recording.stale or recording.moved]


class NamedSuite(Struct, frozen=True):
    """Some tests of a flow. `cases`: their ids, in the order of the list. `gates`: they run before publishing."""

    id: UUID
    name: str
    gates: bool
    cases: list[UUID]


class Suite(Struct, frozen=True):
    """All tests of a flow, or those of one suite (`only`). `required`: tests must pass before it is published: those of
    the suites that gate, all when none does.
    """

    flow_id: UUID
    flow: str
    cases: list[CaseView]
    required: bool
    suites: list[NamedSuite] = []
    only: NamedSuite | None = None
    every: int = 0

    @property
    def gates(self) -> list[NamedSuite]:
        """The suites that are asked before publishing; none where all tests are, or nothing is."""
        return [suite for suite in self.suites if suite.gates] if self.required else []

    def count(self, status: str) -> int:
        return sum(case.last is not None and case.last.status == status for case in self.cases)
