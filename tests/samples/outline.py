"""Sample contexts of the outline (templates/studio/outline/), and forms its routes accept."""

from typing import Any, get_args

from app.studio.changes import changes
from app.studio.outline.ends import ends_of
from app.studio.outline.page import kinds_by_family
from app.studio.outline.rows import outline
from app.studio.outline.trying import Tried
from app.studio.ports import ports_of
from app.studio.rendering import script_json
from app.studio.scope import variables_of
from app.studio.settings_form import form_of
from app.studio.tries import face_of
from components.start.fields import Kind
from flows.model import Flow, NodeUse
from flows.sdk import File
from tests.factories.studio import a_document
from tests.samples.studio import EDITOR, FLOW, KINDS, PROBLEMS, SOME, STEP, THEN, VIEWS, Offers, Version

ROWS = outline(FLOW, PROBLEMS)
_PORTS = {node.id: ports_of(node, KINDS) for node in FLOW.nodes}
_TITLES = {node.id: node.label or node.type for node in FLOW.nodes}


def _open(use: NodeUse, **more: Any) -> dict[str, Any]:
    kind = KINDS.get(use.type)
    return {
        "flow": EDITOR, "use": use, "node": next(view for view in VIEWS if view.id == use.id), "editable": True,
        "fields": form_of(use, kind, PROBLEMS) if kind is not None else [],
        "variables": variables_of(FLOW, use, KINDS), "variables_json": script_json([]), "last_run": None,
        "docs": kind.description if kind is not None else "",
        "offers": Offers(), "ends": ends_of(FLOW, use.id, KINDS, _PORTS, _TITLES),
        "containers": [("loop", "For each")], "ran": None, "breakpoint": None, "can_break": True, **more,
    }  # fmt: skip


def _face(*nodes: NodeUse, **more: Any) -> dict[str, Any]:
    return {"flow": EDITOR, "face": face_of(Flow(nodes=list(nodes)), []), "tried": Tried(), "files": {}, **more}


_LIST = {
    "flow": EDITOR,
    "rows": ROWS,
    "states": {"ask": STEP},
    "counts": {"ask": 2, "cut": 1},
    "step": "ask",
    "panel": "step",
}
_FORM = NodeUse("f", "start.form", settings={"fields": [{"name": "a"}, {"name": "b", "kind": "yes/no", "help": "<i>"}]})
_ALL = NodeUse(
    "f", "start.form", settings={"fields": [
        {"name": "x", "kind": kind, "choices": ["<b>"] if kind == "choice" else [], "required": need, "help": "<i>"}
        for kind in get_args(Kind) for need in (True, False)
    ]},
)  # fmt: skip

SAMPLES: dict[str, Any] = {
    "studio/outline/_rows.html": [_LIST, {**_LIST, "rows": [], "step": ""}],
    "studio/outline/_head.html": {"flow": EDITOR, "caption": "Publish", "note": "The first version"},
    "studio/outline/_add.html": [
        {"flow": EDITOR, "kinds": kinds_by_family(), "spots": spots} for spots in ([], [("ask", "Ask")])
    ],
    "studio/outline/_about.html": {"flow": EDITOR},
    "studio/outline/_try.html": [
        _face(NodeUse("c", "start.chat")),
        _face(_FORM),
        _face(_ALL, files={"x": [File("ab", "<b>", "image/png", 9)]}),
        _face(_ALL, files={"x": []}, tried=Tried({"x": "<b>"}, {}, {"x": "It must be <b>."})),
        _face(NodeUse("w", "start.webhook")),
        _face(face=face_of(FLOW, PROBLEMS)),
    ],
    "studio/outline/_publish.html": [
        {"flow": EDITOR, "listed": changes(a_document(), FLOW, KINDS), "faults": []},
        {"flow": EDITOR, "listed": [], "faults": []},
        {"flow": EDITOR, "listed": [], "faults": PROBLEMS},
    ],
    "studio/outline/_versions.html": [
        {"flow": EDITOR, "editable": True, "versions": versions}
        for versions in ([], [Version(SOME, 3, "Spring", "Faster", THEN, "Mara", True)])
    ],
    "studio/outline/_step.html": [
        *(_open(use) for use in FLOW.nodes if use.id != "note"),
        _open(FLOW.nodes[1], editable=False, ran=STEP),
    ],
}

BODIES: dict[str, dict[str, Any]] = {
    "studio:outline-add": {"type": "ai.prompt", "after": "reply"},
    "studio:outline-settings": {"s.template": "Hello"},
    "studio:outline-policy": {"tries": "2", "runs": "yes"},
    "studio:outline-about": {"name": "A name"},
    "studio:outline-try": {"message": "Hello"},
}
