"""What the panel of comments shows: beside the canvas and beside the outline it is the same."""

from functools import partial
from typing import Any
from uuid import UUID

from app.studio import comments, queries
from app.studio.mentioning import marked
from app.web import Actor


async def panel_of(actor: Actor, flow_id: UUID, *, about: str = "", resolved: bool = False) -> dict[str, Any]:
    """The context of templates/studio/comments/_comments.html. `about`: only the threads of that step.

    4 statements. Raises NotFound.
    """
    flow, _ = await queries.draft(actor, flow_id)
    every = await comments.threads(actor, flow_id)
    called = await comments.names(actor)
    here = [thread for thread in every if not about or thread.step == about]
    over = sum(thread.resolved_at is not None for thread in here)
    return {
        "flow_id": flow_id,
        "about": about,
        "about_title": comments.titles_of(flow).get(about, ""),
        "resolved": resolved,
        "threads": [thread for thread in here if (thread.resolved_at is not None) == resolved],
        "open_number": len(here) - over,
        "resolved_number": over,
        "counts": comments.counts(every),
        "called": called,
        "marked": partial(marked, called=called),
    }
