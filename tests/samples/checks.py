"""What the templates and routes of tests are tried with."""

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from app.checks import service
from app.checks.dataset_shapes import ExperimentStatus, ExperimentView, Line, RowView, TrialView, Variant
from app.checks.figures import Cell, comparisons, figures
from app.checks.forms import NamedForm
from app.checks.shapes import WORDS, Case, CaseView, Expectation, NamedSuite, Recording, Result, Suite, Verdict
from app.runs import running
from app.runs.service import Answer
from app.web.actor import Actor
from app.web.worddiff import pieces
from tests.factories.checks import a_case
from tests.factories.datasets import a_dataset, an_experiment
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


SUITES = [NamedSuite(SOME, "Smoke <b>", True, [SOME]), NamedSuite(UUID(int=4), "Empty", False, [])]
KINDS = list(WORDS.items())
SAMPLES: dict[str, Any] = {
    "checks/_suite.html": [
        {"suite": Suite(SOME, "Support", [], False)},
        {"suite": Suite(SOME, "Support <b>", [view(each, recordings=RECORDINGS) for each in RESULTS], True)},
        {"suite": Suite(SOME, "Support", [view(RESULTS[2])], True, SUITES, SUITES[0], 5)},
        {"suite": Suite(SOME, "Support", [], True, SUITES, SUITES[1], 5)},
    ],
    "checks/_result.html": [{"last": each} for each in RESULTS if each is not None],
    "checks/_expect.html": [
        {"rows": [("exact", "text", "a\nb", ""), ("judge", "", "Kind?", "0.8"), ("", "", "", "")], "kinds": KINDS}
    ],
    "checks/_flow_views.html": [
        {"flow_id": SOME, "flow": "Support <b>", "here": "Tests", "test": test} for test in (True, False)
    ],
}


VARIANTS = [Variant("Draft <b>", SOME, "Draft"), Variant("Draft, large", SOME, "Draft", "x/large", "Short")]
CELLS = [
    {str(i): Cell(i % 2 == 0, i / 10, 12.0, 30, i == 3) for i in range(10)},
    {str(i): Cell(True, 1.0, 9, 5) for i in range(10)},
]
ROW = RowView(SOME, 49, {"message": "Hi <b>"}, "Hello <b>", SOME)


def trial(status: str, **more: Any) -> TrialView:
    fields: dict[str, Any] = {
        "passed": None,
        "score": None,
        "error": "",
        "verdicts": [],
        "output": "",
        "ms": 1,
        "cost_micros": 2,
    }
    return TrialView(SOME, 0, status, run_id=SOME, **fields | more)


def experiment(status: str, some: bool = True) -> ExperimentView:
    return ExperimentView(
        SOME, SOME, "Support <b>", SOME, "Mails <b>", status, "Said <b>.", [], VARIANTS,
        20, 20, 3_000, 5_000_000, THEN, THEN,
        [figures(list(each.values()) if some else []) for each in CELLS], comparisons(CELLS if some else [{}, {}]),
    )  # fmt: skip


LINES = [
    Line(
        ROW,
        [
            trial("done", passed=True, score=0.5, output="Hello <b>"),
            trial("done", passed=False, score=0.0, error="No <b>."),
        ],
    ),
    Line(ROW, [trial("queued"), None]),
    Line(ROW, [trial("running"), trial("cancelled")]),
] + [Line(ROW, [None, None])] * 47
SAMPLES |= {
    "checks/_experiment.html": [
        *(
            {"view": experiment(status), "lines": LINES, "after": -1, "only": "differ"}
            for status in get_args(ExperimentStatus)
        ),
        {"view": experiment("running", some=False), "lines": [], "after": 49, "only": "failed"},
    ],
    "checks/_experiment_state.html": {},
}


async def _made(actor: Actor) -> UUID:
    begun = not running._host
    await running.start("web")
    try:
        return (await a_case(actor, a_document(), {"message": "Hi"}))[1]
    finally:
        if begun:
            await running.stop()


async def _suite(actor: Actor) -> UUID:
    flow_id, _ = await a_dataset(actor)
    return await service.make_suite(actor, flow_id, NamedForm("Smoke"))


async def _published(actor: Actor) -> UUID:
    return (await a_version(a_document(), actor.workspace_id))[2]


async def _dataset(actor: Actor) -> UUID:
    return (await a_dataset(actor))[1]


async def _experiment(actor: Actor) -> UUID:
    begun = not running._host
    await running.start("web")
    try:
        return (await an_experiment(actor))[2]
    finally:
        if begun:
            await running.stop()


IDS = {
    "case_id": _made,
    "suite_id": _suite,
    "version_id": _published,
    "dataset_id": _dataset,
    "experiment_id": _experiment,
}
EXPECT = {"kind-0": "exact", "path-0": "", "value-0": "Answer Hi"}
BODIES: dict[str, dict[str, Any]] = {
    "checks:change": {"name": "Other", "input": '{"message": "Hi"}', **EXPECT},
    "checks:save": EXPECT,
    "checks:run": {},
    "datasets:upload": {},
    "datasets:from-runs": {"name": "Runs", "count": "5"},
    "datasets:compare": {"versions": "draft", "models": ""},
    "checks:rule": {"rule": "all"},
    "checks:suite-make": {"name": "Smoke"},
    "checks:suite-change": {"name": "Smoke"},
    "api:suite-make": {"name": "Smoke"},
    "api:suite-change": {"name": "Smoke"},
}
