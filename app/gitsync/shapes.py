"""What pages and programs see of a repository. Plain data."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from app.studio.service.proposals import Change
from app.web.worddiff import Piece

LinkState = Literal["new", "ok", "conflict", "failed"]
FileState = Literal["same", "conflict", "gone", "broken", "skipped"]
STATES: dict[str, str] = {
    "same": "In step",
    "conflict": "Changed on both sides",
    "gone": "Removed in git",
    "broken": "Can't be read",
    "skipped": "Left out",
}


class FileView(Struct, frozen=True):
    id: UUID
    path: str
    flow_id: UUID | None
    flow: str
    state: FileState
    said: str
    updated_at: datetime


class EventView(Struct, frozen=True):
    """One sync. `lines`: [kind, name]: kinds are "pulled", "pushed", "removed", "archived", "conflict", "left"."""

    id: UUID
    at: datetime
    why: str
    by: str
    commit: str
    ok: bool
    said: str
    lines: list[tuple[str, str]]


class LinkView(Struct, frozen=True):
    """`hook`: whether there is an address for others to call; it is shown once. `busy`: a sync is under way."""

    url: str
    branch: str
    folder: str
    form: str
    user: str
    token_hint: str
    has_token: bool
    push_on_publish: bool
    pull_minutes: int
    tests: bool
    hook: bool
    head: str
    state: LinkState
    said: str
    busy: bool
    synced_at: datetime | None
    files: list[FileView]
    events: list[EventView]

    def having(self, *states: str) -> list[FileView]:
        return [file for file in self.files if file.state in states]


class Sides(Struct, frozen=True):
    """A conflict: what each side changed since they last agreed, and their texts beside each other.

    `what`: "flow", "tests" or "datasets"; only of flows are there `ours` and `theirs`.
    """

    file: FileView
    ours: list[Change]
    theirs: list[Change]
    pieces: list[Piece]
    ours_there: bool
    theirs_there: bool
    what: Literal["flow", "tests", "datasets"] = "flow"


class Done(Struct, frozen=True):
    """What a sync did: paths by what became of them. `commit`: what was pushed, "" = nothing."""

    pulled: list[str] = []
    pushed: list[str] = []
    conflicts: list[str] = []
    left: list[str] = []
    commit: str = ""

    @property
    def said(self) -> str:
        parts = [
            f"{len(found)} {word}"
            for found, word in (
                (self.pulled, "taken from git"),
                (self.pushed, "written to git"),
                (self.conflicts, "to be decided"),
                (self.left, "left out"),
            )
            if found
        ]
        return ", ".join(parts)[:1].upper() + ", ".join(parts)[1:] + "." if parts else "Both sides are the same."
