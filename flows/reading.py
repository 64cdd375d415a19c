"""First half of compiling: look at each node by itself. Type, settings, ports, and what is wrong with them."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from flows.catalogue import AnyNode, Catalogue
from flows.expressions import ExpressionError, binder
from flows.host.sandbox import code_problem
from flows.keeping import LONGEST_KEPT, why_not_kept
from flows.model import Flow, NodeUse
from flows.problems import Problem
from flows.sdk.errors import NodeError
from flows.sdk.ports import AFTER, ERROR, Port, Ports

ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
ERROR_PORT = Port(ERROR, "object", "Error", "What went wrong: message, field, step.", branch=True)
AFTER_PORT = Port(AFTER, "any", "After", "Runs after these steps; takes no value.", required=False, many=True)
MOST_SHOWN = 80


class Card:
    """One node of the document with everything derived from it. `type` None = not installed, or not readable."""

    __slots__ = ("fill", "inputs", "outputs", "ports", "settings", "type", "use")

    def __init__(self, use: NodeUse, type: AnyNode | None, settings: Any, ports: Ports, fill: Any) -> None:
        self.use = use
        self.type = type
        self.settings = settings
        self.ports = ports
        self.fill = fill
        self.inputs = {port.name: port for port in ports.inputs}
        self.outputs = {port.name: port for port in ports.outputs}

    @property
    def label(self) -> str:
        return self.use.label or self.use.id

    def own(self, use: NodeUse) -> "Card":
        """The same for an equal node: a compiler may move it out of a wrong parent."""
        mine: Card = object.__new__(Card)
        mine.use, mine.type, mine.settings, mine.ports, mine.fill = use, self.type, self.settings, self.ports, self.fill
        mine.inputs, mine.outputs = self.inputs, self.outputs
        return mine


def read_settings(use: NodeUse, type: AnyNode) -> tuple[Any, list[Problem]]:
    """The settings struct, brought up from an older version of the node type; None when they don't fit."""
    given = use.settings
    try:
        for version in range(use.version, type.version):
            if version in type.upgrades:
                given = type.upgrades[version](dict(given))
        if use.version > type.version:
            newer = f"it was made with version {use.version} of '{type.title}', and version {type.version} is installed"
            return None, [Problem(use.id, f"Step '{use.label or use.id}' can't be read: {newer}. Update the package.")]
        return msgspec.convert(given, type.settings), []
    except msgspec.ValidationError as error:
        return None, [_bad_setting(use, type, str(error))]
    except Exception as error:  # an upgrade function of a package met settings it did not expect
        return None, [
            Problem(use.id, f"The settings of step '{use.label or use.id}' can't be brought up to date: {error}.")
        ]


_read: dict[tuple[AnyNode, bytes], tuple[Card, list[Problem]]] = {}
"""Cards by type and content: an edit changes one step of a flow, the others are read again as they were."""
MOST_READ = 20_000


def read_card(use: NodeUse, catalogue: Catalogue) -> tuple[Card, list[Problem]]:
    """Everything that can be said of a node by itself. The card is the caller's own; what is in it is shared."""
    type = catalogue.get(use.type)
    if type is None:
        return _read_card(use, type)
    try:
        key = (type, msgspec.json.encode(use))
    except (TypeError, ValueError, msgspec.MsgspecError):  # made by a program, with values that no document can hold
        return _read_card(use, type)
    found = _read.get(key)
    if found is None:
        found = _read_card(use, type)
        if len(_read) >= MOST_READ:
            _read.clear()
        _read[key] = found
    card, problems = found
    return card.own(use), list(problems)


def _read_card(use: NodeUse, type: AnyNode | None) -> tuple[Card, list[Problem]]:
    label = use.label or use.id
    if type is None:
        sentence = f"Step '{label}' needs the component '{use.type}', which is not installed."
        return Card(use, None, None, Ports(), None), [Problem(use.id, sentence + " Install its package, or remove it.")]
    settings, problems = read_settings(use, type)
    fill, ports = None, type.static
    if settings is not None:
        try:
            ports = type.ports(settings)
            fill = binder(settings) if type.has_holes else None
        except ExpressionError as error:
            problems.append(Problem(use.id, f"Step '{label}': {error.message}", field=error.field))
        except NodeError as error:
            problems.append(Problem(use.id, f"Step '{label}': {error.message}", field=error.field))
        if type.sources is not None:
            for source in type.sources(settings):
                if wrong := code_problem(source.text, source.engine):
                    problems.append(Problem(use.id, f"Step '{label}': {wrong}", field=source.field))
    if use.on_error == "wire":
        if any(port.name == ERROR for port in ports.outputs):
            problems.append(
                Problem(use.id, f"Step '{label}' has an output 'error' of its own, so its error can't be wired.")
            )
        ports = Ports(ports.inputs, (*ports.outputs, ERROR_PORT))
    if use.keep is not None:
        problems += _bad_keep(use, type, settings)
    return Card(use, type, settings, ports, fill), problems


def ports_of(use: NodeUse, catalogue: Catalogue, flow: Flow | None = None) -> Ports:
    """The ports to draw for a node. One that isn't installed has the ports its wires in `flow` name."""
    card, _ = read_card(use, catalogue)
    if card.type is not None or flow is None:
        return card.ports
    ins = dict.fromkeys(e.target.partition(".")[2] for e in flow.edges if e.target.partition(".")[0] == use.id)
    outs = dict.fromkeys(e.source.partition(".")[2] for e in flow.edges if e.source.partition(".")[0] == use.id)
    return Ports(tuple(Port(name, required=False) for name in ins), tuple(Port(name) for name in outs))


def _bad_keep(use: NodeUse, type: AnyNode, settings: Any) -> list[Problem]:
    label, problems = use.label or use.id, []
    if use.keep is not None and not 0 < use.keep <= LONGEST_KEPT:
        sentence = (
            f"Step '{label}' can keep its results for more than no time and at most {LONGEST_KEPT // 86400} days."
        )
        problems.append(Problem(use.id, sentence, field="keep"))
    if reason := why_not_kept(type, settings):
        sentence = f"Results of step '{label}' can't be kept: {reason}. Switch 'Keep results for' off."
        problems.append(Problem(use.id, sentence, field="keep"))
    return problems


def _bad_setting(use: NodeUse, type: AnyNode, error: str) -> Problem:
    reason, _, place = error.partition(" - at `$")
    field = place.rstrip("`").lstrip(".")
    if not field and (named := re.search(r"field `([^`]+)`", reason)):
        field = named.group(1)
    title = _title(type.settings, field)
    label = use.label or use.id
    return Problem(use.id, f"Setting '{title}' of step '{label}' does not fit: {_plainly(reason)}.", field=field)


def _title(settings: type[Struct], field: str) -> str:
    name = re.split(r"[.\[]", field)[0]
    known = msgspec.json.schema(settings).get("$defs", {}).get(settings.__name__, {}).get("properties", {})
    return str(known.get(name, {}).get("title", field or "?"))


def _plainly(reason: str) -> str:
    """msgspec's words in a person's: "Expected `int` >= 1" -> "it must be a number >= 1"."""
    kinds = {
        "int": "a number",
        "float": "a number",
        "str": "text",
        "bool": "yes or no",
        "array": "a list",
        "object": "an object",
    }
    if reason.startswith("Object contains unknown field"):
        return "this component has no such setting"
    if reason.startswith("Object missing required field"):
        return "it must be filled in"
    reason = re.sub(r"`(\w+)`", lambda m: kinds.get(m.group(1), m.group(1)), reason)
    reason = reason.replace("Expected ", "it must be ", 1).replace(", got ", ", not ")
    return reason[:1].lower() + reason[1:MOST_SHOWN]
