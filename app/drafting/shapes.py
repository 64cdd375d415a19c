"""What pages and programs see of a proposal. Plain data."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.studio.service.proposals import Difference, Picture

Status = Literal["working", "ready", "failed", "cancelled", "accepted", "rejected"]


class Proposed(Struct, frozen=True):
    """What would change: in words, and drawn on the canvas. `watch`: what to look at before taking it over."""

    found: Difference
    drawn: Picture
    watch: list[str]


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
