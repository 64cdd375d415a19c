"""What the templates and routes of triggers are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.triggers.pace_form import written_pace
from app.triggers.pacing import Pace
from app.triggers.queries import Detail, FiringView, TriggerView
from app.web.actor import Actor
from tests.factories.triggers import a_trigger

SOME = UUID("01993d5e-0000-7000-8000-000000000003")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def firing(**more: Any) -> FiringView:
    fields: dict[str, Any] = {
        "id": SOME, "result": "started", "reason": "", "run_id": SOME, "planned_at": THEN, "at": THEN, "times": 1,
        "status": "succeeded",
    }  # fmt: skip
    return FiringView(**fields | more)


def view(**more: Any) -> TriggerView:
    fields: dict[str, Any] = {
        "id": SOME, "flow_id": SOME, "flow": "Digest <b>", "node": "start", "kind": "schedule", "title": "Every day",
        "words": "Every day at 08:00, UTC", "on": True, "next_at": THEN, "problem": "", "last": firing(),
        "switchable": True,
    }  # fmt: skip
    return TriggerView(**fields | more)


FIRINGS = [
    firing(),
    firing(status="", run_id=None, planned_at=None),
    firing(result="queued", status="", reason="Waits."),
    firing(result="refused", status="", reason="Bad <signature>", times=7),
    firing(result="held", status="", run_id=None, reason="Held until 09:30:10 UTC.", times=3),
    firing(result="merged", status="", run_id=None, reason="Merged into the firing of 09:30:00 UTC."),
    firing(result="skipped", status="", reason="The last run still went on."),
]
VIEWS = [
    view(),
    view(on=False, next_at=None, last=None),
    view(kind="webhook", problem="Broken", next_at=None, last=FIRINGS[3]),
    view(kind="chat", switchable=False, next_at=None),
    view(environment="staging", on=False, next_at=None, last=None),
]
SAMPLES: dict[str, Any] = {
    "triggers/_list.html": [{"triggers": VIEWS, "flow": SOME}, {"triggers": [], "flow": None}],
    "triggers/_result.html": {},
    "triggers/_times.html": [{"times": [THEN], "zone": "UTC"}, {"times": [], "zone": "UTC"}],
    "triggers/_next_times.html": [{"node_id": "start", "times": [THEN], "zone": "UTC"}],
    "triggers/_address.html": [{"it": view(path="/hooks/x")}, {"it": view()}],
    "triggers/_secret.html": [
        {"it": view(signature="github"), "shown": "", "errors": {"": "No."}},
        {"it": view(signature="github", secret_name="Shop <key>"), "shown": "", "errors": {}},
        {"it": view(signature="github", environment="staging"), "shown": "", "errors": {}},
        {"it": view(signature="github", secret_hint="…9f2c"), "shown": "whsec_x", "errors": {}},
    ],
    "triggers/_pace.html": [
        {"it": view(pace=pace), "written": written_pace(pace), "wrong": wrong}
        for pace, wrong in (
            (None, {}),
            (Pace("quiet", 10, "input.<b>"), {"seconds": "No."}),
            (Pace("rate", 60, most=5), {"": "No."}),
        )
    ],
    "triggers/_why.html": [{"detail": Detail(VIEWS[0], [], why, [], None)} for why in ([], ["It is off."])],
    "triggers/secret_set.oob.html": {
        "detail": Detail(VIEWS[0], [], [], [], None),
        "it": view(signature="github"),
        "shown": "whsec_x",
        "errors": {},
    },
    "triggers/_log.html": [
        {"detail": Detail(VIEWS[0], [THEN], ["It is off."], FIRINGS, THEN, "UTC"), "first": True},
        {"detail": Detail(VIEWS[1], [], [], [], None, "UTC"), "first": False},
    ],
}


async def _made(actor: Actor) -> UUID:
    return (await a_trigger("start.schedule", workspace_id=actor.workspace_id)).id


IDS = {"trigger_id": _made}
BODIES = {"api:trigger-pace": {"mode": "quiet"}, "triggers:pace": {"mode": "none"}}
