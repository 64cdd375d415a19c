"""Verbs that have a module of their own, under the service's door. Each is imported when it is called: they, too, ask
what `asked` answers.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.runs.forms import GoOnForm
from app.web import Actor
from flows.breaks import Breaks, How


async def resume(
    actor: Actor,
    run_id: UUID,
    version_id: UUID,
    *,
    from_step: str = "",
    edits: dict[str, Any] | None = None,
    pinned: Mapping[str, str] | None = None,
    breaks: Breaks | None = None,
) -> UUID:
    """Go on from a step of a run ("" = again from its beginning, same input) with this version: `replays.replay`."""
    from app.runs import replays

    return await replays.replay(
        actor, run_id, from_step=from_step, version_id=version_id, edits=edits, pinned=pinned, breaks=breaks
    )


async def begin_pinned(
    actor: Actor,
    version_id: UUID,
    input: Any,
    pinned: Mapping[str, str],
    *,
    afresh: bool = False,
    breaks: Breaks | None = None,
) -> UUID:
    """Start a try of a draft in which these steps have their outputs (JSON text) already, and which pauses where
    `breaks` says: `pinning.begin`.
    """
    from app.runs import pinning

    return await pinning.begin(actor, version_id, input, pinned, afresh=afresh, breaks=breaks)


async def go_on(actor: Actor, run_id: UUID, form: GoOnForm, *, at: Mapping[str, How] | None = None) -> None:
    """End the pause of a try before a step: `breaking.go_on`."""
    from app.runs import breaking

    await breaking.go_on(actor, run_id, form, at=at)


async def compared(actor: Actor, one: UUID, other: UUID | None = None) -> Any:
    """Two runs side by side, a `comparing.Compared`: `comparing.compared`."""
    from app.runs import comparing

    return await comparing.compared(actor, one, other)
