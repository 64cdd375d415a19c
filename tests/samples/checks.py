"""What the templates and routes of tests are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.checks.shapes import WORDS, Case, CaseView, Expectation, Recording, Result, Suite, Verdict
from app.runs import running
from app.runs.service import Answer
from app.web.actor import Actor
from app.web.worddiff import pieces
from tests.factories.checks import a_case
from tests.factories.runs import a_version
from tests.factories.studio import a_document

SOME = UUID("01993d5e-0000-7000-8000-000000000007")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
VERDICTS = [
    Verdict("exact", "", False, "It is something else.", "a <b>", "a c", pieces("a <b>", "a c")),
    Verdict("json", "items[0]", False, "x is missing.", "{}", "[]"),
    Verdict("contains", "text", True, "Found."),
    Verdict("judge", "", True, "0.90 of at least 0.70. Kind <b>.", score=0.9, cost_micros=30),
]
RESULTS = [
    None,
    Result("running", THEN),
    Result("passed", THEN, "", VERDICTS[2:], 12, 0, SOME),
    Result("failed", THEN, "", VERDICTS, 12, 100, SOME),
    Result("failed", THEN, "The run failed: <b>", [], 1, 0, None),
]
ANSWERS = [Answer("gone", "0", error="No."), Answer("gone", "1")]
RECORDINGS = [
    Recording("model", "Helper <b>", "Model", "sparkles", "ai", [Answer("model", "", {"text": "Hi"})], True, False),
    Recording("gone", "gone", "", "circle-help", "", ANSWERS, False, True),
]


def view(last: Result | None = None, **more: Any) -> CaseView:
    case = Case("Refund <b>", {"message": "Hi"}, [Expectation("exact", "a <b>")], [], "chat")
    fields: dict[str, Any] = {
        "id": SOME, "flow_id": SOME, "case": case, "recordings": [], "missing": [], "last": last, "source_run": SOME,
        "updated_at": THEN,
    }  # fmt: skip
    return CaseView(**fields | more)


KINDS = list(WORDS.items())
SAMPLES: dict[str, Any] = {
    "checks/_suite.html": [
        {"suite": Suite(SOME, "Support", [], False)},
        {"suite": Suite(SOME, "Support <b>", [view(each, recordings=RECORDINGS) for each in RESULTS], True)},
    ],
    "checks/_result.html": [{"last": each} for each in RESULTS if each is not None],
    "checks/_expect.html": [
        {"rows": [("exact", "text", "a\nb", ""), ("judge", "", "Kind?", "0.8"), ("", "", "", "")], "kinds": KINDS}
    ],
    "checks/_flow_views.html": [
        {"flow_id": SOME, "flow": "Support <b>", "here": "Tests", "test": test} for test in (True, False)
    ],
}


async def _made(actor: Actor) -> UUID:
    begun = not running._host
    await running.start("web")
    try:
        return (await a_case(actor, a_document(), {"message": "Hi"}))[1]
    finally:
        if begun:
            await running.stop()


async def _published(actor: Actor) -> UUID:
    return (await a_version(a_document(), actor.workspace_id))[2]


IDS = {"case_id": _made, "version_id": _published}
EXPECT = {"kind-0": "exact", "path-0": "", "value-0": "Answer Hi"}
BODIES: dict[str, dict[str, Any]] = {
    "checks:change": {"name": "Other", "input": '{"message": "Hi"}', **EXPECT},
    "checks:save": EXPECT,
    "checks:run": {},
    "checks:rule": {"required": "true"},
}
