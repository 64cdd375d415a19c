"""What the templates and routes of git are tried with."""

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from app.gitsync.shapes import STATES, EventView, FileState, FileView, LinkState, LinkView
from app.web.actor import Actor
from tests.factories.gitsync import a_git_file

SOME = UUID("01993d5e-0000-7000-8000-000000000012")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FILES = [
    FileView(SOME, f"{state} <b>.json", SOME, "Support <b>", state, "No <b>.", THEN) for state in get_args(FileState)
]
LINES = [("pulled", "a <b>.json"), ("pushed", "b"), ("conflict", "c"), ("left", "d")]
EVENTS = [
    EventView(SOME, THEN, "button", "Mara <b>", "0123456789abcdef", True, "Done.", LINES),
    EventView(SOME, THEN, "schedule", "", "", False, "No <b>.", []),
]


def link(state: LinkState, **more: Any) -> LinkView:
    fields: dict[str, Any] = {
        "url": "https://git.example/x", "branch": "main", "folder": "flows", "form": "json", "user": "",
        "token_hint": "9f2c", "has_token": True, "push_on_publish": True, "pull_minutes": 5, "tests": True,
        "hook": True, "head": "0123456789abcdef",
        "state": state, "said": "Said <b>.", "busy": False, "synced_at": THEN, "files": FILES, "events": EVENTS,
    }  # fmt: skip
    return LinkView(**fields | more)


SAMPLES: dict[str, Any] = {
    "gitsync/_status.html": [
        *({"link": link(state), "states": STATES} for state in get_args(LinkState)),
        {"link": link("ok", busy=True, files=[], events=[], synced_at=None, said=""), "states": STATES},
    ],
}


async def a_file(actor: Actor) -> UUID:
    return await a_git_file(actor)


IDS = {"file_id": a_file}
FORM = {"url": "https://93.184.215.14/x.git"}
BODIES: dict[str, Any] = {
    "git:connect": FORM,
    "api:git-connect": FORM,
    "git:choose": {"choice": "ours"},
    "api:git-choose": {"choice": "ours"},
}
