"""A flow as a visitor meets it: the fields of its form, read from the live version's `start.form` step."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.runs import queries as runs
from flows import catalogue

_SHAPES = {
    "text": "text",
    "long text": "long",
    "number": "number",
    "yes/no": "choice",
    "choice": "choice",
    "list": "long",
    "object": "long",
}
"""Kind of a field in the flow -> how it is drawn. Others are drawn as plain text."""
_FILES = frozenset({"file", "image", "audio", "document"})
_AUTOCOMPLETE = {"email": "email", "mail": "email", "name": "name"}
LIMITS: dict[str, int] = {"text": 300, "number": 40, "choice": 300, "long": 10_000}
"""Characters a visitor may write into a field of each shape."""


class FieldView(Struct, frozen=True):
    """One field as a theme draws it. `kind` is text, long, number or choice; `input` the type of the HTML control.

    `of`: the field's kind in the flow.
    """

    name: str
    label: str
    kind: str
    required: bool
    help: str
    options: list[str]
    limit: int
    input: str
    autocomplete: str
    wide: bool
    of: str = "text"


async def form_fields(workspace_id: UUID, flow_id: UUID) -> list[FieldView]:
    """The fields of a flow's form; empty when the flow is not published or starts with something else.

    A site takes no files: a field for one is left out where it may stay empty.
    """
    live = await runs.live_document(workspace_id, flow_id)
    form = catalogue.load().get("start.form")
    if live is None or form is None:
        return []
    for node in live.nodes:
        if node.type == "start.form":
            settings: Any = msgspec.convert(node.settings, form.settings, strict=False)
            return [_view(field) for field in settings.fields if field.required or field.kind not in _FILES]
    return []


def _view(field: Any) -> FieldView:
    kind = _SHAPES.get(field.kind, "text")
    options = ["Yes", "No"] if field.kind == "yes/no" else list(field.choices)
    guessed = _AUTOCOMPLETE.get(field.name, "")
    return FieldView(
        name=field.name,
        label=field.label or field.name,
        kind=kind,
        required=field.required,
        help=field.help or ("One a line." if field.kind == "list" else ""),
        options=options if field.required else ["", *options],
        limit=LIMITS[kind],
        input="number" if kind == "number" else "email" if guessed == "email" else "text",
        autocomplete=guessed,
        wide=kind == "long",
        of=field.kind,
    )


def read(fields: list[FieldView], sent: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """What a visitor sent: (input for the flow, the texts as typed, remedy by field). Unknown names are dropped."""
    values: dict[str, Any] = {}
    typed: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in fields:
        text = str(sent.get(field.name, "")).replace("\r\n", "\n").strip()
        typed[field.name] = text[: field.limit]
        problem = _problem(field, text)
        if problem:
            problems[field.name] = problem
        elif text:
            values[field.name] = _value(field, text)
    return values, typed, problems


def _value(field: FieldView, text: str) -> Any:
    """A text as the start step reads it: it takes texts for everything but lists and objects."""
    if field.of == "list":
        return [line.strip() for line in text.split("\n") if line.strip()]
    return msgspec.json.decode(text, type=dict[str, Any]) if field.of == "object" else text


def _problem(field: FieldView, text: str) -> str:
    if not text:
        return "Fill this in." if field.required else ""
    if field.of in _FILES:
        return "This asks for a file, which can't be sent from here. Write to the owner of the site."
    if len(text) > field.limit:
        return f"{len(text)} characters are too many. At most {field.limit}."
    if field.input == "email" and ("@" not in text[1:-1] or " " in text):
        return "Write an e-mail address, like elif@example.org."
    if field.kind == "number":
        try:
            float(text)
        except ValueError:
            return "Write a number."
    if field.of == "object":
        try:
            _value(field, text)
        except (msgspec.DecodeError, RecursionError):
            return 'Write it as names and values, like {"name": "Elif"}.'
    if field.kind == "choice" and text not in field.options:
        return "Choose one of the values in the list."
    return ""
