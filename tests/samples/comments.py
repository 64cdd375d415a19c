"""Sample contexts of comments (templates/studio/comments/)."""

from functools import partial
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from app.studio import service
from app.studio.comments import Mention, Said, Thread
from app.studio.mentioning import marked
from tests.factories.studio import a_flow
from tests.samples.studio import EDITOR, SOME, THEN

_MARKED = partial(marked, called=["Mara Fern"])
_SAID = Said(SOME, "Mara Fern", "Why *this* model, @Mara Fern? <script>", THEN, False, False, True)
_ANSWER = replace(_SAID, id=uuid4(), by="x@fern.example", edited=True, mine=False)
_GONE = replace(_SAID, id=uuid4(), text="", removed=True)
_THREADS = [
    Thread(SOME, "ask", "Ask", False, None, "", (_SAID, _ANSWER)),
    Thread(uuid4(), "old", "Weather", True, None, "", (_GONE, _ANSWER)),
    Thread(uuid4(), "", "", False, None, "", (_SAID,)),
]
_OVER = [replace(_THREADS[0], resolved_at=THEN, resolved_by=by) for by in ("Mara Fern", "")]


def _panel(threads: list[Thread], *, about: str = "", title: str = "", resolved: bool = False) -> dict[str, Any]:
    return {
        "flow_id": SOME, "about": about, "about_title": title, "resolved": resolved, "threads": threads,
        "open_number": 3, "resolved_number": 2, "counts": {"ask": 1, "": 1}, "called": ["Mara Fern"], "marked": _MARKED,
    }  # fmt: skip


_PANELS = [
    _panel([]),
    _panel([], about="ask", title="Ask"),
    _panel([], resolved=True),
    _panel(_THREADS),
    _panel(_THREADS[1:2], about="old"),
    _panel(_OVER, about="ask", title="Ask", resolved=True),
]

SAMPLES: dict[str, Any] = {
    "studio/comments/_comments.html": _PANELS,
    "studio/comments/_panel.html": _PANELS[3],
    "studio/outline/_comments.html": {"flow": EDITOR, **_PANELS[3]},
    "studio/comments/_mentions.html": [
        {"mentions": mentions, "marked": _MARKED}
        for mentions in (
            [],
            [Mention(SOME, SOME, SOME, "Order mailbox", "Ask", "Ole Birch", "See *here*, @Mara Fern", THEN)],
            [Mention(SOME, SOME, SOME, "", "", "Ole Birch", "Hm.", THEN)],
        )
    ],
}


async def _a_comment(actor: Any) -> str:
    return str(await service.comment(actor, await a_flow(actor), "Hello"))


IDS = {"comment_id": _a_comment}
