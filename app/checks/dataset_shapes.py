"""What pages and programs see of datasets and matrices. Plain data."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.checks.figures import Comparison, Figures
from app.checks.shapes import Expectation, Verdict

Only = Literal["", "failed", "differ"]
"""Rows of a matrix: all, those where a variant failed, those where one passed and another did not."""
ExperimentStatus = Literal["running", "done", "stopped", "cancelled"]


class Variant(Struct, frozen=True):
    """One column of a matrix. `version_id`: the frozen document it runs. `version`, `model`, `prompt`: what it is."""

    name: str
    version_id: UUID
    version: str
    model: str = ""
    prompt: str = ""


class RowView(Struct, frozen=True):
    id: UUID
    place: int
    input: Any
    expected: Any
    source_run: UUID | None


class DatasetView(Struct, frozen=True):
    """`source`: where it came from, in words. `first`: its first rows."""

    id: UUID
    flow_id: UUID
    flow: str
    name: str
    source: str
    rows: int
    created_at: datetime
    first: list[RowView] = []


class ExperimentView(Struct, frozen=True):
    """`done` of `all` cells. `figures`, `compared`: by variant; the first one is what the others are compared with."""

    id: UUID
    flow_id: UUID
    flow: str
    dataset_id: UUID
    dataset: str
    status: ExperimentStatus
    said: str
    expect: list[Expectation]
    variants: list[Variant]
    done: int
    all: int
    cost_micros: int
    most_micros: int
    created_at: datetime
    finished_at: datetime | None
    figures: list[Figures] = []
    compared: list[Comparison | None] = []


class TrialView(Struct, frozen=True):
    """One cell. `output`: the beginning of what came out."""

    id: UUID
    variant: int
    status: str
    passed: bool | None
    score: float | None
    error: str
    verdicts: list[Verdict]
    output: str
    ms: float
    cost_micros: int
    run_id: UUID | None

    @property
    def why(self) -> str:
        """The first thing that was wrong, in a sentence; "" when it passed."""
        return self.error or next((verdict.said for verdict in self.verdicts if not verdict.passed), "")


class Line(Struct, frozen=True):
    """A row of a matrix with its cells by variant (None = not there)."""

    row: RowView
    cells: list[TrialView | None]
