"""What the templates of versions are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.runs.queries import Named
from app.studio.comparing import Compared, Side
from app.studio.difference import difference
from app.studio.difference_picture import picture
from app.studio.history import History
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.studio import a_document

SOME = UUID("01993d5e-0000-7000-8000-000000000009")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
KINDS = catalogue.load()
LISTED = [
    Named(SOME, 3, "Spring <b>", "**Faster**", THEN, "Mara"),
    Named(UUID(int=SOME.int + 1), 2, "", "", THEN, ""),
]
BEFORE = a_document()
AFTER = a_document(prompt="Answer {{ question }} in two short and friendly sentences.")
AFTER.name, AFTER.nodes[0].x = "Garden <helper>", 90
AFTER.nodes[2:] = [NodeUse("each", "logic.each", x=560), NodeUse("old", "acme.weather", parent="each", label="<i>")]
AFTER.edges[1:] = [Edge("write.text", "each.items")]
FOUND = difference(BEFORE, AFTER, KINDS)
DRAWN = picture(BEFORE, AFTER, FOUND, KINDS)


def compared(before: Flow, after: Flow) -> Compared:
    one, two = Side("2", "Version 2", before, SOME), Side("draft", "Draft", after)
    return Compared(SOME, "Garden <helper>", 7, False, one, two, difference(before, after, KINDS), LISTED, 3)


def history(**more: Any) -> History:
    fields: dict[str, Any] = {
        "flow_id": SOME, "name": "Garden <b>", "archived": False, "changed": 2, "live_id": SOME, "versions": LISTED,
    }  # fmt: skip
    return History(**fields | more)


_PAGE = {"nav": "flows", "drawn": DRAWN, "editable": True}
SAMPLES: dict[str, Any] = {
    "studio/versions/_picture.html": {"drawn": DRAWN},
    "studio/versions/_difference.html": {"found": FOUND},
    "studio/versions/comparison.html": [
        {**_PAGE, "both": compared(BEFORE, AFTER)},
        {**_PAGE, "both": compared(BEFORE, BEFORE), "editable": False},
    ],
    "studio/versions/_version.html": {"v": LISTED[0], "shown": history(), "editable": True},
    "studio/versions/history.html": [
        {"nav": "flows", "shown": history()},
        {"nav": "flows", "shown": history(changed=None, live_id=None, versions=[])},
        {"nav": "flows", "shown": history(archived=True, changed=0)},
    ],
}
