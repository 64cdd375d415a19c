"""What pages and programs see of a proposal. Plain data."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.web.worddiff import Piece

Status = Literal["working", "ready", "failed", "cancelled", "accepted", "rejected"]
Mark = Literal["added", "changed", "removed"]
SIGNS: dict[str, str] = {"added": "+", "changed": "~", "removed": "−"}


class FieldChange(Struct, frozen=True):
    """One setting of a step, before and after as people read them. `pieces`: word by word, where both are text."""

    title: str
    before: str
    after: str
    pieces: list[Piece] = []


class StepChange(Struct, frozen=True):
    """What a proposal does to one step. `watch`: what to look at before taking it over, "" = nothing."""

    id: str
    mark: Mark
    title: str
    kind: str
    icon: str
    family: str
    fields: list[FieldChange] = []
    watch: str = ""


class CardDrawn(Struct, frozen=True):
    """A step in the picture, in canvas pixels. `sign` "" = as it was."""

    id: str
    x: float
    y: float
    w: float
    h: float
    title: str
    kind: str
    family: str
    mark: str
    sign: str
    container: bool


class WireDrawn(Struct, frozen=True):
    path: str
    mark: str


class Picture(Struct, frozen=True):
    """The flow with the proposal in it. `box`: x, y, width, height of everything. `words` reads it out."""

    cards: list[CardDrawn]
    wires: list[WireDrawn]
    box: tuple[float, float, float, float]
    words: str


class Proposed(Struct, frozen=True):
    """What would change. `wires`: "2 new, 1 removed"."""

    steps: list[StepChange]
    wires: str
    picture: Picture

    def count(self, mark: str) -> int:
        return sum(step.mark == mark for step in self.steps)


class ProposalView(Struct, frozen=True):
    """A proposal as it stands. `flow`: the name of the flow it changes, "" = a new one. `seen`: names of the steps the
    model has written so far. `log`: what happened, in order. `proposed` None: nothing that can be shown (yet).
    """

    id: UUID
    flow_id: UUID | None
    flow: str
    wish: str
    model: str
    status: Status
    said: str
    notes: list[str]
    log: list[str]
    seen: list[str]
    rounds: int
    cost_micros: int
    made_flow: UUID | None
    by: UUID | None
    created_at: datetime
    proposed: Proposed | None = None
    document: dict[str, Any] | None = None

    @property
    def open(self) -> bool:
        return self.status in ("working", "ready")
