from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.runs import service
from app.runs.queries import Listed, RunRow
from app.runs.reading import AttemptView, RunView, StepView
from app.web.actor import Actor
from flows.sdk.context import Wait
from tests.factories.runs import a_version, an_approval

SOME = UUID("01993d5e-0000-7000-8000-000000000001")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WORDS = {"api": "API"}


def step(**more: Any) -> StepView:
    fields: dict[str, Any] = {
        "node": "a", "iter": "", "title": "Find the order", "kind": "connect.http", "family": "connect", "icon": "plug",
        "depth": 0, "status": "succeeded", "attempt": 1, "began": 0, "ms": 12.5, "inputs": {"text": "<b>x</b>"},
        "output": {"n": 1, "list": [1, None], "no": None}, "error": "", "prompt_tokens": 0, "completion_tokens": 0,
        "cost_micros": 0,
    }  # fmt: skip
    return StepView(**fields | more)


ASKS = step(
    node="ask", status="waiting", wait=Wait(signal="approval", title="May it go?", choices=("approve", "reject"))
)
DOUBT = step(node="pay", status="in_doubt", error="It was interrupted.", output=None)
TRIED = step(
    node="b", iter="3", depth=2, attempt=2, prompt_tokens=9, completion_tokens=4, cost_micros=270, logs=["Said hello"],
    attempts=[AttemptView(1, "failed", 0, 5, "Too busy"), AttemptView(2, "succeeded", 9, 5, late=True)],
)  # fmt: skip


def run(status: str, *steps: StepView, error: str = "") -> RunView:
    return RunView(
        id=SOME, flow_id=SOME, version_id=SOME, flow="Order <mailbox>", version=12, draft=False, status=status,
        lane="normal", trigger="api", by="Mara", created_at=THEN, ms=900.0, input={"x": [1]}, output="done",
        error=error, error_node="", prompt_tokens=9, completion_tokens=4, cost_micros=270, crash_count=5,
        cancel_requested=True, needs_you=status != "running", steps=list(steps),
    )  # fmt: skip


ROW = RunRow(SOME, SOME, "Order <mailbox>", 12, "waiting", True, "api", False, THEN, 900.0, 270, "It is busy")
RUNS = [
    run("queued"),
    run("running", step(status="running"), TRIED),
    run("waiting", step(), ASKS),
    run("in_doubt", DOUBT, error="Say whether it happened."),
    run("dead", step(), error="The worker died 5 times."),
    run("failed", step(status="failed", error="No"), step(node="c", status="skipped"), error="No"),
]

SAMPLES: dict[str, Any] = {
    "runs/_needs_you_count.html": [{"number": 0}, {"number": 3}],
    "runs/_list.html": [
        {"listed": Listed([ROW], THEN), "state": "", "flow": None, "words": WORDS, "first": True},
        {"listed": Listed([], None), "state": "waiting", "flow": SOME, "words": WORDS, "first": False},
        {"listed": Listed([], None), "state": "", "flow": SOME, "words": WORDS, "first": True},
        {"listed": Listed([], None), "state": "", "flow": None, "words": WORDS, "first": True},
    ],
    "runs/_run.html": [
        {"run": each, "chosen": each.steps[-1] if each.steps else None, "words": WORDS} for each in RUNS
    ],
    "runs/_step.html": [{"step": each, "run": RUNS[0]} for each in (step(), ASKS, DOUBT, TRIED)],
    "runs/_value.html": [{"value": value} for value in ("<i>", {"a": {"b": 1}}, {}, [1], None, 3, True)],
}


async def a_waiting_run(actor: Actor) -> UUID:
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    return await service.start(actor, version, {}, trigger="api")


IDS = {"run_id": a_waiting_run}
BODIES = {
    "runs:answer": {"name": "approval", "choice": "approve"},
    "runs:decide": {"node": "ask", "happened": "yes"},
}
