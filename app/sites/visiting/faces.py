"""A flow as a visitor meets it: the fields of its form, read from the live version's `start.form` step."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.runs import queries as runs

FieldKind = Literal["text", "long", "email", "number", "choice"]
_INPUTS: dict[str, str] = {"email": "email", "number": "number"}
_AUTOCOMPLETE = {"email": "email", "name": "name"}
LIMITS: dict[str, int] = {"text": 300, "email": 254, "number": 40, "choice": 300, "long": 10_000}
"""Characters a visitor may write into a field of each kind."""


class FieldView(Struct, frozen=True):
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


class _Field(Struct, frozen=True):
    """What we read of a field in the settings of `start.form`."""

    name: str
    label: str = ""
    kind: str = "text"
    required: bool = True
    help: str = ""
    options: list[str] = []


async def form_fields(workspace_id: UUID, flow_id: UUID) -> list[FieldView]:
    """The fields of a flow's form; empty when the flow is not published or starts with something else."""
    live = await runs.live_document(workspace_id, flow_id)
    if live is None:
        return []
    for node in live.nodes:
        if node.type == "start.form":
            return [_view(msgspec.convert(raw, _Field, strict=False)) for raw in node.settings.get("fields", [])]
    return []


def _view(field: _Field) -> FieldView:
    kind = field.kind if field.kind in LIMITS else "text"
    return FieldView(
        name=field.name,
        label=field.label or field.name,
        kind=kind,
        required=field.required,
        help=field.help,
        options=field.options,
        limit=LIMITS[kind],
        input=_INPUTS.get(kind, "text"),
        autocomplete=_AUTOCOMPLETE.get(kind) or _AUTOCOMPLETE.get(field.name.lower(), ""),
        wide=kind in {"long", "choice"},
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
        elif field.kind == "number" and text:
            values[field.name] = float(text) if "." in text else int(text)
        else:
            values[field.name] = text
    return values, typed, problems


def _problem(field: FieldView, text: str) -> str:
    if not text:
        return "Fill this in." if field.required else ""
    if len(text) > field.limit:
        return f"{len(text)} characters are too many. At most {field.limit}."
    if field.kind == "email" and ("@" not in text[1:-1] or " " in text):
        return "Write an e-mail address, like elif@example.org."
    if field.kind == "number":
        try:
            float(text)
        except ValueError:
            return "Write a number."
    if field.kind == "choice" and text not in field.options:
        return "Choose one of the values in the list."
    return ""
