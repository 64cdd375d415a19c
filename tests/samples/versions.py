"""What the templates of versions are tried with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.runs.queries import Named
from app.runs.rollout_figures import Side as Figures
from app.runs.rollouts import Rollout
from app.runs.stages import Stage
from app.studio import service
from app.studio.approvals import Request
from app.studio.comparing import Compared, Side
from app.studio.difference import difference
from app.studio.difference_picture import picture
from app.studio.environments import Place, Value, places
from app.studio.giving import Given, Todo
from app.studio.history import History
from app.studio.queries import views
from app.studio.rendering import script_json
from app.studio.sharing import FlowLink, SharedFlow, share_flow
from app.studio.shown import steps_of
from app.studio.version_forms import EnvironmentForm, InsteadForm
from app.web.actor import Actor
from app.web.asks import Ask
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from tests.factories.studio import a_document, a_flow

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
        "rollout": None, "asked": {}, "rule": False,
    }  # fmt: skip
    return History(**fields | more)


ASKED = Request(
    SOME, SOME, "Garden <b>", LISTED[1].id, 2, "Spring", "Please <look>", THEN, "Ole", False, "", "", "", None
)  # fmt: skip
ANSWERED = msgspec.structs.replace(ASKED, decision="rejected", answer="Not <yet>", decider="Mara", decided_at=THEN)
NEW = Figures(40, 6, 1_200.0, 2_400.0, 34, 34, 7.1, 0.4, 300.0)
OLD = Figures(360, 4, 900.0, 2_000.0, 356, 356, 6.8, 0.5, 200.0)
ROLLOUT = Rollout(SOME, LISTED[1].id, 2, "<b>", SOME, 3, 10, 15, 20, "Mara", THEN, None, "", "", NEW, OLD)
ROLLOUTS = [
    ROLLOUT,
    msgspec.structs.replace(ROLLOUT, new=Figures(), old=Figures(), stop_above=None, name="", by=""),
    msgspec.structs.replace(ROLLOUT, new=OLD, old=OLD),
    msgspec.structs.replace(ROLLOUT, new=OLD, old=NEW, ended_at=THEN, outcome="guarded", why="6 of 40 <runs> failed."),
    *(msgspec.structs.replace(ROLLOUT, ended_at=THEN, outcome=each) for each in ("finished", "stopped", "replaced")),
]
OTHERS = [Ask("Approvals", "/needs-you/approvals", 1), Ask("Mentions", "/needs-you/mentions", 0)]
LEFT = [Todo("old", "<i>", "Key", "enter it", "secret"), Todo("write", "Write", "", "enter the keys again", "keys")]
SHARED = SharedFlow(
    "/shared/flows/x", AFTER, None, THEN, views(AFTER, []), steps_of(Given(AFTER, LEFT), KINDS), LEFT
)  # fmt: skip
NO_TODO = msgspec.structs.replace(SHARED, todo=[])
STAGES = [
    Stage(SOME, "dev", None, None, None, None, None, "", []),
    Stage(SOME, "staging", LISTED[1].id, 2, SOME, 3, THEN, "Mara", [("in", "/hooks/x"), ("other", "/hooks/y")]),
]
VALUES = [
    Value(SOME, "text", "https://shop.example", "<b>"),
    Value(SOME, "connection", str(SOME), "gone"),
    Value(SOME, "secret", "key", ""),
]
LINKS = [
    FlowLink(SOME, "/shared/flows/x", None, THEN, THEN, "Mara"),
    FlowLink(SOME, "/shared/flows/y", 3, THEN, THEN, "Mara <b>", 12, 2, THEN),
]
_PAGE = {"nav": "flows", "drawn": DRAWN, "editable": True}
SAMPLES: dict[str, Any] = {
    "studio/versions/_picture.html": {"drawn": DRAWN},
    "studio/versions/_difference.html": {"found": FOUND},
    "studio/versions/comparison.html": [
        {**_PAGE, "both": compared(BEFORE, AFTER)},
        {**_PAGE, "both": compared(BEFORE, BEFORE), "editable": False},
    ],
    "studio/versions/_version.html": [
        {"v": v, "shown": history(rule=rule, asked=asked, rollout=rollout), "editable": True}
        for v in LISTED
        for rule in (True, False)
        for asked in ({}, {LISTED[1].id: ASKED}, {LISTED[1].id: ANSWERED})
        for rollout in (None, ROLLOUT)
    ],
    "studio/versions/_rollout.html": [{"shown": history(rollout=each), "editable": True} for each in ROLLOUTS],
    "studio/versions/approvals.html": [
        {"nav": "needs-you", "waiting": [ASKED, msgspec.structs.replace(ASKED, mine=True)], "others": OTHERS},
        {"nav": "needs-you", "waiting": [], "others": OTHERS},
    ],
    "studio/versions/shares.html": [
        {"nav": "flows", "shown": history(), "links": links, "address": "https://garden.example"}
        for links in ([], LINKS)
    ],
    "studio/versions/shared.html": [
        {"shown": SHARED, "edges": script_json([(edge.source, edge.target) for edge in AFTER.edges]), "known": True},
        {"shown": msgspec.structs.replace(SHARED, flow=Flow(), number=3), "edges": "[]", "known": False},
    ],
    "studio/versions/copy.html": [{"nav": "flows", "shown": each} for each in (SHARED, NO_TODO)],
    "studio/versions/_stages.html": [{"shown": history(stages=STAGES), "editable": True}],
    "studio/versions/environments.html": [
        {"nav": "settings", "tab": "environments", "places": some, "names": {str(SOME): "Shop <b>"}}
        for some in ([], [Place(SOME, "staging", 2, VALUES), Place(SOME, "dev", 0, [])])
    ],
    "studio/versions/publishing.html": [
        {"nav": "settings", "tab": "publishing", "wanted": wanted} for wanted in (True, False)
    ],
    "studio/versions/history.html": [
        {"nav": "flows", "shown": history()},
        {"nav": "flows", "shown": history(changed=None, live_id=None, versions=[])},
        {"nav": "flows", "shown": history(archived=True, changed=0)},
    ],
}


async def _asked(actor: Actor) -> UUID:
    flow_id = await a_flow(actor)
    version_id = await service.publish(actor, flow_id, "", "", live=False)
    return await service.ask(actor, flow_id, version_id, "Please")


async def _shared(actor: Actor) -> UUID:
    return (await share_flow(actor, await a_flow(actor), 7)).id


async def _environment(actor: Actor) -> UUID:
    return await service.add_environment(actor, EnvironmentForm(f"e{uuid4().hex[:8]}"))


async def _value(actor: Actor) -> UUID:
    place = await _environment(actor)
    await service.set_instead(actor, place, InsteadForm("text", "a", "b"))
    return next(each.values[0].id for each in await places(actor) if each.id == place)


IDS = {"request_id": _asked, "flow_share_id": _shared, "environment_id": _environment, "value_id": _value}
BODIES: dict[str, dict[str, Any]] = {
    "studio:approval-answer": {"decision": "approve"},
    "api:approval-answer": {"decision": "approve"},
}
