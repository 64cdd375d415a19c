"""What each kind of step does, takes, gives and refuses, derived from its code: pages in the program, docs/steps/.

Nothing is written for these pages alone. The words are those of the function's docstring, of Meta on its settings and
ports, and of the sentences it raises as NodeError.
"""

import ast
import inspect
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import Struct

from app.studio.palette import FAMILIES
from app.studio.ports import ports_of
from app.studio.settings_form import Field, form_of
from app.studio.shapes import LETTERS
from flows import catalogue
from flows.catalogue import AnyNode
from flows.model import NodeUse
from flows.sdk.ports import Port

FIRST = "0.1"
"""The release that brought the steps that do not say since when they are there."""
EFFECTS = {
    "pure": "Only works something out. After a crash it is simply done again.",
    "db": "Writes into Agentbase’s own database, exactly once.",
    "idempotent": "May be done again after a crash: the other side sees that it is the same call.",
    "repeatable_costed": "May be done again after a crash, and may then cost again.",
    "probe": "After a crash it is asked first whether it happened.",
    "at_most_once": "Never done twice. After a crash in the middle a person decides.",
}
TYPES = {
    "text": "text", "number": "number", "yesno": "yes or no", "object": "object", "list": "list", "file": "file",
    "message": "message", "any": "anything",
}  # fmt: skip
CONTROLS = {
    "text": "text", "multiline": "text", "template": "text with values", "expression": "expression",
    "condition": "condition", "code": "code", "json": "JSON", "number": "number", "slider": "number",
    "yesno": "yes or no", "model": "model", "connection": "connection", "flow": "flow", "secret": "secret",
    "lines": "list of texts", "pairs": "names and values", "rows": "list", "schema": "fields (JSON Schema)",
    "file": "file",
}  # fmt: skip


class PortDoc(Struct, frozen=True):
    """`needed`: an input without which the step is refused. `note`: "any number of wires", "may stay silent"."""

    name: str
    title: str
    type: str
    type_words: str
    letter: str
    needed: bool
    note: str
    help: str


class SettingDoc(Struct, frozen=True):
    """`default` in words, "" when it must be set or is empty. `limits`: "1 to 100,000", the choices, or ""."""

    name: str
    label: str
    kind: str
    default: str
    limits: str
    needed: bool
    advanced: bool
    help: str
    inner: tuple["SettingDoc", ...] = ()


class Refusal(Struct, frozen=True):
    """A sentence the step fails with, values as “…”, and the label of the setting it is about ("" = none)."""

    text: str
    setting: str


class StepDoc(Struct, frozen=True):
    """`what`: Markdown; `sentence` its first one, `more` the rest. `raises`: what the docstring says of failing."""

    name: str
    title: str
    family: str
    family_words: str
    icon: str
    package: str
    version: int
    since: str
    effect: str
    effect_words: str
    sentence: str
    what: str
    more: str
    raises: tuple[str, ...]
    inputs: tuple[PortDoc, ...]
    outputs: tuple[PortDoc, ...]
    settings: tuple[SettingDoc, ...]
    refusals: tuple[Refusal, ...]


def all_docs() -> list[StepDoc]:
    """Every installed kind, family by family as the palette has them."""
    order = {family: place for place, (family, _, _) in enumerate(FAMILIES)}
    return sorted(
        (doc_of(kind) for kind in catalogue.load().values()), key=lambda doc: (order.get(doc.family, 99), doc.title)
    )


def doc(name: str) -> StepDoc | None:
    kind = catalogue.load().get(name)
    return doc_of(kind) if kind is not None else None


@lru_cache(maxsize=1024)
def doc_of(kind: AnyNode) -> StepDoc:
    paragraphs = [part.strip() for part in kind.description.split("\n\n") if part.strip()]
    said = [part for part in paragraphs if not part.startswith("Raises")]
    use = NodeUse("x", kind.name, kind.version)
    ports = ports_of(use, {kind.name: kind})
    settings = tuple(_setting(field) for field in form_of(use, kind, []))
    first = said[0].replace("\n", " ") if said else kind.title
    package, since = _origin(kind)
    return StepDoc(
        name=kind.name,
        title=kind.title,
        family=kind.family,
        family_words=next((words for family, _, words in FAMILIES if family == kind.family), kind.family),
        icon=kind.icon,
        package=package,
        version=kind.version,
        since=since,
        effect=kind.effect,
        effect_words=EFFECTS[kind.effect],
        sentence=first.partition(". ")[0].rstrip(".") + ".",
        what="\n\n".join(said),
        more="\n\n".join([first.partition(". ")[2], *said[1:]]).strip(),
        raises=tuple(" ".join(part.split()) for part in paragraphs if part.startswith("Raises")),
        inputs=tuple(_port(port) for port in ports.inputs if port.name != "after") if ports else (),
        outputs=tuple(_port(port) for port in ports.outputs) if ports else (),
        settings=settings,
        refusals=_refusals(kind, {setting.name: setting.label for setting in settings}),
    )


def _port(port: Port) -> PortDoc:
    notes = (
        ("any number of wires", port.many),
        ("inside the container", port.inside),
        ("may stay silent", port.branch),
    )
    return PortDoc(
        port.name,
        port.title or port.name.replace("_", " ").capitalize(),
        port.type,
        TYPES[port.type],
        LETTERS[port.type],
        port.required,
        ", ".join(words for words, holds in notes if holds),
        port.description,
    )


def _setting(field: Field) -> SettingDoc:
    limits = ""
    if field.options:
        limits = ", ".join(option.label for option in field.options)
    elif field.least is not None and field.most is not None:
        limits = f"{_number(field.least)} to {_number(field.most)}"
    elif field.least is not None or field.most is not None:
        limits = f"at least {_number(field.least)}" if field.most is None else f"at most {_number(field.most)}"
    kind = "choice" if field.options else CONTROLS.get(field.control, field.control)
    inner = tuple(_setting(each) for each in field.row)
    return SettingDoc(
        field.name, field.label, kind, _default(field), limits, field.required, field.advanced, field.help, inner
    )


def _default(field: Field) -> str:
    if field.options:
        return next((option.label for option in field.options if option.value == field.default), "")
    match field.default:
        case bool():
            return "yes" if field.default else "no"
        case int() | float():
            return _number(field.default)
        case str():
            return field.default if len(field.default) <= 60 else f"{field.default[:59]}…"
    return ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _origin(kind: AnyNode) -> tuple[str, str]:
    """The package it comes from, and since when it is there: its own word, else the release it came with."""
    module = kind.fn.__module__
    if module.startswith("components."):
        return "Agentbase", FIRST
    name = module.partition(".")[0].replace("_", "-")
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, ""


def _refusals(kind: AnyNode, labels: dict[str, str]) -> tuple[Refusal, ...]:
    """The sentences of every NodeError in the step's module, as its source has them."""
    module = sys.modules.get(kind.fn.__module__)
    try:
        tree = ast.parse(inspect.getsource(module)) if module is not None else None
    except (OSError, TypeError, SyntaxError):  # no source beside the code: the docstring has to do
        tree = None
    found: dict[str, Refusal] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NodeError" and node.args:
            text = _sentence(node.args[0])
            field = next((_sentence(each.value) for each in node.keywords if each.arg == "field"), "")
            if text:
                found.setdefault(text, Refusal(text, labels.get(field.partition("[")[0].partition(".")[0], "")))
    return tuple(found.values())


def _sentence(node: Any) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_sentence(part) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sentence(left) + _sentence(right)
    return ""
