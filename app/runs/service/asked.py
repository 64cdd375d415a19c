"""What every verb asks first: who wants it, may they, is it theirs, is what they give small enough."""

from typing import Any
from uuid import UUID

import msgspec

from app.db import Tx
from app.errors import NotAllowed, NotFound, Refused
from app.runs.running import Ready, host
from app.web import Actor

MOST_INPUT = 1_000_000
"""Bytes of a run's input, as JSON."""
GONE = "This run does not exist."


def workspace_of(who: Actor | UUID) -> UUID:
    return who.workspace_id if isinstance(who, Actor) else who


def person_of(who: Actor | UUID) -> UUID | None:
    return who.user_id if isinstance(who, Actor) else None


async def mine(who: Actor | UUID, version_id: UUID) -> Ready:
    """The version, if it is of this workspace; somebody else's answers like an unknown one."""
    ready = await host().ready(version_id)
    if ready.workspace_id != workspace_of(who):
        raise NotFound("This version of the flow does not exist.")
    return ready


async def must_exist(tx: Tx, run_id: UUID) -> None:
    """Raises NotFound for a run that is not this workspace's: row security hides it."""
    if await tx.fetchval("select 1 from run where id = $1", run_id) is None:
        raise NotFound(GONE)


def may_run(who: Actor | UUID) -> None:
    if isinstance(who, Actor) and who.role == "viewer":
        raise NotAllowed(
            "You can look at runs, not start or change them.", remedy="Ask an owner to make you an editor."
        )


def input_text(value: Any, visitor: str = "") -> str:
    """A run's input as JSON. `visitor` travels in it, so that budgets per visitor hold."""
    if visitor and isinstance(value, dict):
        value = {**value, "visitor": visitor}
    text = msgspec.json.encode(value)
    if len(text) > MOST_INPUT:
        raise Refused(
            f"The input has {len(text):,} bytes; at most {MOST_INPUT:,} are taken.", status=413, code="input_too_large"
        )
    return text.decode()
