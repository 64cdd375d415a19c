from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.runs import service, shares
from app.runs.asking import Link as AskLink
from app.runs.listing import Listed, RunFilter, RunRow
from app.runs.needs import Need, Needs
from app.runs.shapes import AttemptView, LogView, Rating, RunView, StepView
from app.runs.showing import Peers, composed
from app.runs.viewing import view
from app.runs.why import Link, Why
from app.web.actor import Actor
from app.web.asks import Ask
from components.people.approval import form
from components.start.fields import Field
from flows.model import Edge, Flow, NodeUse
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


_FIELDS = [
    Field("sum", "Sum", "number", help="In dollars."),
    Field("why", "Why", "long text", required=False),
    Field("how", "How", "choice", choices=["By mail", "By post"]),
    Field("where", "Where", required=False),
    Field("sure", "Sure?", "yes/no", help="Think twice."),
]
ASKS = step(
    node="ask",
    status="waiting",
    wait=Wait(signal="approval", title="May it go?", choices=("approve", "reject"), form=form(_FIELDS)),
)
DOUBT = step(node="pay", status="in_doubt", error="It was interrupted.", output=None)
LOG = LogView("Said <i>hello</i>", "warning", 12.5, data={"n": 1})
TRIED = step(
    node="b", iter="3", depth=2, attempt=2, prompt_tokens=9, completion_tokens=4, cost_micros=270, logs=[LOG],
    attempts=[AttemptView(1, "failed", 0, 5, "Too busy"), AttemptView(2, "succeeded", 9, 5, late=True)],
)  # fmt: skip


WHY = Why(
    "If: It went 'no'.",
    [Link("c", "Say no", "Its 'text' comes from 'If', which gave nothing on 'yes'."), Link("b", "If", "")],
)


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
    msgspec.structs.replace(run("queued"), waits="3 of 3 runs of this flow are under way."),
    run("running", step(status="running"), TRIED),
    run("waiting", step(), ASKS),
    run("in_doubt", DOUBT, error="Say whether it happened."),
    run("dead", step(), error="The worker died 5 times."),
    run("failed", step(status="failed", error="No"), step(node="c", status="skipped", why=WHY), error="No"),
    msgspec.structs.replace(
        run("succeeded", step()),
        ratings=[Rating(False, "<b>Wrong", None, "", THEN), Rating(True, "", UUID(int=7), "Mara", THEN)],
    ),
]
FLOW = Flow(
    [
        NodeUse("a", "connect.http", x=0, y=0),
        NodeUse("each", "logic.each", x=300, y=0, w=400, h=200),
        NodeUse("b", "text.template", parent="each", x=40, y=60),
        NodeUse("gone", "acme.weather", x=800),
    ],
    [Edge("a.body", "each.list"), Edge("each.item", "b.text"), Edge("b.text", "each.result")],
)
SHOWN = [
    composed(each, FLOW, Peers([9, 12, 4, 900], 3), step=key, tab=tab, view=view)
    for each in RUNS
    for key, tab, view in (("", "", ""), ("b:3", "attempts", "graph"), ("b:3", "log", ""), ("c", "", ""))
]
VALUES = (
    "<i>", "# A title\n\n- **one**", {"a": {"b": 1}}, {}, [1], None, 3, 2.5, True, [{"a": 1, "b": None}],
    [{"a": {"b": [1]}}],
    {"id": "1", "name": "leaf.jpg", "media_type": "image/jpeg", "size": 12_000}, {"values": {"yes": "x"}},
    [{"role": "user", "text": "Hi"}, {"role": "assistant", "content": [{"text": "I look"}],
      "tool_calls": [{"function": {"name": "look", "arguments": "{}"}, "result": {"n": 1}}]}],
    "x" * 70_000,
    {"$stored": {"hash": "ab" * 32, "size": 400_000, "kind": "list", "length": 1000, "begins": "[<b>"}},
)  # fmt: skip

NEEDS = [
    Need("question", SOME, SOME, "Order <mailbox>", "Ask", "hand", "people", "ask", "2", THEN, "", wait=ASKS.wait),
    Need(
        "question",
        SOME,
        SOME,
        "Mail",
        "Ask",
        "hand",
        "people",
        "ask",
        "",
        THEN,
        "",
        wait=Wait(signal="x", data={"n": 1}),
    ),
    Need("doubt", SOME, SOME, "Mail", "Pay", "plug", "connect", "pay", "", THEN, "Stopped", 2, "0199aabb", THEN, None),
    Need("doubt", SOME, SOME, "Mail", "Send", "plug", "connect", "send", "", THEN, "", 1, "0199aabb", THEN, THEN),
    Need(
        "question",
        SOME,
        SOME,
        "Mail",
        "Ask",
        "hand",
        "people",
        "ask",
        "",
        THEN,
        "",
        wait=ASKS.wait,
        asked=tuple(
            AskLink("/asked/x", email, "ask", THEN, THEN, sent, THEN if sent else None, next_at)
            for email, sent, next_at in (
                ("", 0, None),
                ("a@b.org", 0, THEN),
                ("c@b.org", 1, THEN),
                ("d@b.org", 2, None),
                ("e@b.org", 3, None),
            )
        ),
    ),
    Need("dead", SOME, SOME, "Mail", "The whole run", "circle-question-mark", "", "", "", THEN, "It died", crashes=5),
]

OTHERS = [Ask("Approvals", "/needs-you/approvals", 0), Ask("Mentions", "/needs-you/mentions", 2)]
SAMPLES: dict[str, Any] = {
    "runs/_needs_you_count.html": [{"number": 0}, {"number": 3}],
    "runs/_list.html": [
        {"listed": Listed(rows, before), "wanted": wanted, "base": base, "words": WORDS, "first": first}
        for rows, before, wanted, base, first in (
            ([ROW], "x_y", RunFilter(q="a b", flow=SOME), "/runs", True),
            ([ROW], "", RunFilter(flow=SOME), f"/flows/{SOME}/runs", False),
            ([], "", RunFilter(state="failed", cost=12_000, since=THEN), "/runs", True),
            ([], "", RunFilter(), "/runs", True),
        )
    ],
    "runs/_needs.html": [
        {"listed": Needs(each, after), "kind": kind, "flow": flow, "first": True, "others": []}
        for each, after, kind, flow in (([], "", "", None), (NEEDS, "x_y", "doubt", SOME), (NEEDS[:1], "", "", None))
    ]
    + [{"listed": Needs([], ""), "kind": "", "flow": None, "first": True, "others": OTHERS[n:]} for n in (0, 1)],
    "runs/_run.html": [{"shown": shown, "words": WORDS} for shown in SHOWN],
    "runs/_rating.html": [
        {"run": each, "here": f"/runs/{SOME}", "may": may} for each in (RUNS[-1], RUNS[5]) for may in (True, False)
    ],
    "runs/_thumbs.html": [
        {"rated": SOME, "good": good, "note": note} for good, note in ((None, ""), (True, ""), (False, "<b>Wrong"))
    ],
    "runs/_badges.html": [{"shown": shown} for shown in SHOWN],
    "runs/_deeds.html": [{"shown": shown, "oob": True} for shown in SHOWN],
    "runs/shown.oob.html": [{"shown": shown, "words": WORDS} for shown in SHOWN[:2]],
    "runs/_timeline.html": [{"shown": shown} for shown in SHOWN],
    "runs/_graph.html": [{"shown": shown} for shown in SHOWN if shown.graph],
    "runs/_step.html": [{"shown": shown, "step": shown.chosen} for shown in SHOWN if shown.chosen],
    "runs/_ask.html": {},
    "runs/_asked.html": [{"need": need, "where": "x"} for need in NEEDS if need.kind == "question"],
    "runs/_doubt.html": [{"run": RUNS[3], "step": DOUBT, "may": may} for may in (True, False)],
    "runs/_file.html": [
        {"value": view({"id": "ab" * 32, "name": "<b>", "media_type": kind, "size": 9}), "here": f"/runs/{SOME}"}
        for kind in ("image/png", "audio/ogg", "application/pdf")
    ],
    "runs/_view.html": [{"value": view(value), "name": "x"} for value in VALUES],
}


async def a_waiting_run(actor: Actor) -> UUID:
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    return await service.start(actor, version, {}, trigger="api")


async def a_share(actor: Actor) -> UUID:
    return (await shares.share(actor, await a_waiting_run(actor), 1)).id


IDS = {"run_id": a_waiting_run, "share_id": a_share}
BODIES = {
    "runs:rate": {"good": "true"},
    "api:run-rate": {"good": True},
    "runs:answer": {"name": "approval", "choice": "approve"},
    "runs:decide": {"node": "ask", "happened": "yes"},
    "runs:replay": {"from_step": ""},
    "runs:limit": {"running": "3", "key": "", "per_key": ""},
    "api:flow-limit": {"running": 3},
    "api:run-decide": {"node": "ask", "happened": "yes"},
}
