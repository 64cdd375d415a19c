"""Samples of running and debugging in the editor."""

from typing import Any

from msgspec import structs

from app.runs.breaking import Pause
from app.runs.comparing import compare
from app.runs.ports import Typed, fields_for
from app.runs.remedies import remedy
from app.runs.showing import PauseForm, composed
from app.studio.pins import Pin
from tests.samples.runs import FLOW as RAN
from tests.samples.runs import TRIED, run, step
from tests.samples.studio import FLOW, SOME, STEP, VIEWS

PORTS = [
    Typed("text", "Text", "text", True, False),
    Typed("sum", "Sum", "number", False, False),
    Typed("sure", "Sure", "yesno", False, False),
    Typed("said", "Said", "message", False, False),
    Typed("rows", "Rows", "any", False, True),
    Typed("more", "More", "object", False, False),
]
FIELDS = fields_for(PORTS, {"text": "<b>", "sum": 3, "sure": True, "said": {"text": "Hi"}, "rows": [1, {"a": None}]})
PAUSE = Pause("ask", "2", {"text": "<b>"}, PORTS, "'sum' of step 'Ask' needs a number, this is text.")

WAITING = step(status="paused", iter="2")
SHOWN = composed(run("waiting", WAITING), RAN)


SAMPLES: dict[str, Any] = {
    "runs/_value_fields.html": [{}],
    "runs/_pause.html": [
        {"step": WAITING, "shown": structs.replace(SHOWN, pause=PauseForm(*form)), "may": True}
        for form in (([],), (FIELDS, "It does not fit."), (FIELDS, "", "number.sum", "'sum' is no number: x."))
    ],
    "studio/_pause.html": [
        {"pause": PAUSE, "editable": True},
        {"pause": PAUSE, "editable": False},
        {"pause": Pause("ask", "", {}, []), "editable": True},
    ],
    "studio/_pause_bar.html": [{}],
    "runs/_log_lines.html": [{"logs": []}, {"logs": STEP.logs}],
    "studio/_log.html": [{"ran": None}, {"ran": STEP}],
    "studio/_compared.html": [
        {"pairs": [], "other": None},
        {"pairs": [], "other": SOME},
        {
            "pairs": compare(run("running", step()), run("failed", step(output="<i>", inputs={}), TRIED)).pairs,
            "other": SOME,
        },
    ],
    "studio/_tried.html": [
        {"run": run("succeeded", step())},
        {"run": structs.replace(run("failed", step(), error="<b>"), error_node="ask")},
        {"run": structs.replace(run("failed", step(), error="<b>"), error_node="inner/ask")},
    ],
    "studio/_remedy.html": [
        {"way": remedy("key", "", "ask", SOME, SOME)},
        {"way": remedy("Misfit", "text", "ask", SOME, SOME)},
    ],
    "studio/_again.html": [
        {"run": SOME, "use": FLOW.nodes[0], "node": VIEWS[0], "given": given} for given in ([], FIELDS)
    ],
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
QUERIES = {"studio:step-compared": f"?run={SOME}"}
BODIES: dict[str, dict[str, Any]] = {
    name: {"step": "ask", "how": "next", "edits": {}} for name in ("studio:go-on", "api:go-on")
} | {"runs:go-on": {"step": "ask", "how": "next"}}
