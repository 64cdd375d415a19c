"""Samples of running and debugging in the editor."""

from typing import Any

from app.studio.pins import Pin
from tests.samples.studio import FLOW, SOME, STEP, VIEWS

SAMPLES: dict[str, Any] = {
    "studio/_again.html": [{"run": SOME, "use": FLOW.nodes[0], "node": VIEWS[0], "ran": ran} for ran in (None, STEP)],
    "studio/_pin.html": [
        {"use": FLOW.nodes[0], "pin": pin, "ran": ran, "can": can, "editable": editable}
        for pin, ran, can, editable in (
            (None, None, True, True),
            (None, STEP, True, True),
            (Pin("ask", {"a": 1}), STEP, True, True),
            (Pin("ask", {"a": 1}), STEP, True, False),
            (None, STEP, False, True),
        )
    ],
}
