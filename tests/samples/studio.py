from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from msgspec import to_builtins

from app.runs.ports import Typed, fields_for
from app.runs.queries import Said, Talk, Tried
from app.runs.shapes import LogView
from app.studio.changes import changes
from app.studio.choices import Offers
from app.studio.exposing import shown
from app.studio.palette import FAMILIES, catalogue_json, palette
from app.studio.picking import tree_of
from app.studio.queries import Editor, Version, problems_of, views
from app.studio.ran import Bar, Ran, RanStep
from app.studio.rendering import script_json
from app.studio.schemas import infer
from app.studio.scope import Values
from app.studio.settings_form import form_of, takes_values
from app.studio.shapes import node_view
from app.studio.tries import Face
from components.start.fields import Kind
from flows import catalogue
from flows.model import Exposed, Flow, NodeUse
from tests.factories.studio import a_document

SOME = UUID("01993d5e-0000-7000-8000-000000000002")
THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
KINDS = catalogue.load()

FLOW = a_document()
FLOW.nodes += [
    NodeUse("cut", "text.split", settings={"size": 0}),
    NodeUse("loop", "logic.each"),
    NodeUse("old", "acme.weather"),
    NodeUse("note", "note.note", settings={"text": "Remember <this>"}),
    NodeUse("off", "ai.prompt", disabled=True, on_error="default", default={"text": "…"}),
]
PROBLEMS = problems_of(FLOW)
VIEWS = views(FLOW, PROBLEMS)
EDITOR = Editor(SOME, 7, FLOW, True, False, SOME, a_document(), False)
BAR: dict[str, Any] = {
    "flow": EDITOR, "tab": "canvas", "editable": True, "changed": 2, "problems": PROBLEMS, "titles": {"cut": "Cut"},
}  # fmt: skip
STEP = RanStep(
    "succeeded", "1.2 s · free", {"text": "Hi", "n": [1]}, {"text": "<b>", "ok": True, "no": None}, "", "ask:2",
    [LogView("Said <hello>", "warning", 12.0, 1, {"n": 1})], [(1, "failed", "Too <busy>")],
)  # fmt: skip


def _panel(use: NodeUse, *, ran: RanStep | None = None, editable: bool = True, webhook: str | None = None) -> Any:
    kind = KINDS.get(use.type)
    return {
        "flow_id": SOME,
        "run": "",
        "node": views(Flow(nodes=[use]), [])[0],
        "use": use,
        "fields": form_of(use, kind, []) if kind is not None else [],
        "variables": script_json([]),
        "docs": kind.description if kind is not None else "",
        "tree": tree_of(Values({"text": {"a": [1, "b"]}}, ran=True)) if ran is not None else [],
        "pickable": kind is not None and takes_values(form_of(use, kind, [])),
        "ran": ran,
        "offers": Offers(),
        "webhook": webhook,
        "planned": {"times": [], "zone": "UTC"} if webhook is None else None,
        "pause": None,
        "given": fields_for([Typed("text", "Text", "text", True, False)], {"text": "a"}) if ran is not None else [],
        "editable": editable,
    }


_WHOLE = {
    **BAR, "nodes": VIEWS, "palette": palette(), "families": FAMILIES, "unknown": node_view(NodeUse("new", "x"), {}),
    "catalogue": script_json(catalogue_json(palette())), "edges": script_json(EDITOR.edges), "last_run": SOME,
    "last_steps": script_json({}),
}  # fmt: skip
_RUN = Ran(SOME, "failed", "3 s · 0.2 ct", {}, [Bar("ask", "Ask", "failed", "Ask: failed", 0, 40.5, "1 s", "free")])
_CHAT, _FORM = (to_builtins(KINDS[f"start.{kind}"].default_settings()) for kind in ("chat", "form"))
A_FILE = {"id": "0" * 64, "name": "<prices>.png", "media_type": "image/png", "size": 12_000}
_ASKED = [
    {
        "name": f"f{n}",
        "label": "<b>",
        "kind": kind,
        "required": n % 2 == 0,
        "choices": ["a"],
        "unit": "kg",
        "help": "<i>",
    }
    for n, kind in enumerate(get_args(Kind))
]
_SAID = [Said("user", "<b>", files=["<i>.png"]), Said("assistant", "<i>", SOME)]
_GIVEN: dict[str, Any] = {"f0": "<u>", "f2": 3, "f3": True, "f4": "a", "f5": A_FILE, "f9": [1], "f10": {"a": 1}}

_MARKED = Flow(nodes=[NodeUse("call", "connect.http", exposed={"headers": Exposed("Heads"), "url": Exposed()})])

A_SHAPE: dict[str, Any] = infer({"a": 1, "b": [{"c": True}]}) | {"title": "<Kept>"}


SAMPLES: dict[str, Any] = {
    "studio/_about.html": {"flow": FLOW},
    "studio/_bar.html": [BAR, {**BAR, "tab": "outline", "editable": False, "changed": None}],
    "studio/_canvas.html": [
        _WHOLE,
        {**_WHOLE, "editable": False, "problems": [], "last_run": None, "last_steps": None},
    ],
    "studio/_condition.html": {},
    "studio/_schema.html": {},
    "studio/_file_field.html": {},
    "studio/_control.html": {},
    "studio/_data.html": {},
    "studio/_draft_state.html": [{"changed": n} for n in (None, 0, 1, 3)],
    "studio/_failure.html": {},
    "studio/_node.html": [{"node": view} for view in VIEWS],
    "studio/_panel.html": [
        *(_panel(NodeUse("x", name)) for name in sorted(KINDS)),
        *(_panel(use, ran=STEP, editable=False) for use in FLOW.nodes),
        _panel(NodeUse("x", "start.webhook"), webhook="https://garden.example/hooks/x"),
        _panel(NodeUse("x", "start.webhook"), webhook=""),
        _panel(NodeUse("x", "logic.if", settings={"expression": 'value == "a" && (n > 3 || size(l) == 0)'})),
        _panel(NodeUse("x", "logic.if", settings={"expression": "value ? a : b", "rows": [{"value": "a"}]})),
        _panel(NodeUse("x", "ai.chat", settings={"answer": A_SHAPE})),
        _panel(NodeUse("x", "data.file", settings={"file": A_FILE})),
        _panel(NodeUse("x", "data.file", settings={"file": A_FILE}), editable=False),
        _panel(NodeUse("x", "ai.chat", settings={"answer": {"anyOf": []}}), editable=False),
        _panel(NodeUse("x", "logic.switch", settings={"cases": [{"name": "a", "when": "value > 3"}]})),
    ],
    "studio/_pick.html": {},
    "studio/settings_page.html": [
        {"nav": "flows", "flow": EDITOR, "steps": [], "offers": Offers(), "editable": True},
        {"nav": "flows", "flow": EDITOR, "steps": shown(_MARKED, []), "offers": Offers(), "editable": True},
        {"nav": "flows", "flow": EDITOR, "steps": shown(_MARKED, []), "offers": Offers(), "editable": False},
    ],
    "studio/_problems.html": [{"problems": [], "titles": {}}, {"problems": PROBLEMS, "titles": {"cut": "Cut"}}],
    "studio/_publication.html": [
        {"flow": EDITOR, "changes": changes(a_document(), FLOW, KINDS), "problems": []},
        {"flow": EDITOR, "changes": [], "problems": []},
        {"flow": EDITOR, "changes": [], "problems": PROBLEMS},
        {"flow": Editor(SOME, 0, Flow(), False, False, None, None, False), "changes": [], "problems": []},
    ],
    "studio/_step_palette.html": {"palette": palette(), "families": FAMILIES},
    "studio/_timeline.html": {"run": _RUN},
    "studio/_tour.html": {"flow": EDITOR},
    "studio/_try.html": [
        {"face": Face("chat", "ask", _CHAT, keeps=True)},
        {"face": Face("chat", "ask", {**_CHAT, "files": True})},
        {
            "face": Face(
                "chat", "ask", _CHAT, talk="t", said=_SAID, talks=[Talk("t", "<b>", 2, THEN), Talk("u", "", 1, THEN)]
            )
        },
        {"face": Face("form", "ask", _FORM, keeps=True)},
        {"face": Face("form", "ask", {**_FORM, "fields": _ASKED}, last=Tried(SOME, _GIVEN))},
        {"face": Face("form", "ask", {**_FORM, "fields": _ASKED}, last=Tried(SOME, ["not", "an", "object"]))},
        {"face": Face("input")},
        {"face": Face("chat", "ask", _CHAT, problems=PROBLEMS)},
    ],
    "studio/_face_field.html": {},
    "studio/_versions.html": [
        {"flow_id": SOME, "versions": [], "editable": True},
        {"flow_id": SOME, "versions": [Version(SOME, 3, "Spring", "Faster", THEN, "Mara", True)], "editable": True},
    ],
}


async def _ask(actor: Any) -> str:
    return "ask"


IDS = {"node_id": _ask}
BODIES: dict[str, dict[str, Any]] = {
    name: {"text": "{{ question }}", "kind": "template"} for name in ("studio:preview", "api:preview")
}
QUERIES = {"studio:found": "?q=tulips", "api:flow-find": "?q=tulips"}
