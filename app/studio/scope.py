"""What texts and expressions of a step may mention, with what stood there in the last run."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct, convert, field, to_builtins

from app.errors import NotFound
from app.runs import queries as runs
from app.studio import variables
from app.studio.ports import ports_of
from app.web import Actor
from flows import catalogue
from flows.catalogue import Catalogue
from flows.expressions import written
from flows.model import Flow, NodeUse
from flows.sdk.holes import VARS, hints_of, own_names
from flows.sdk.values import Message

MOST_PATHS = 120
"""Lines of the list that typing {{ opens. Behind them one writes the path oneself; it is read all the same."""
DEEPEST = 4
MOST_SHOWN = 80
"""Characters of a value in the list."""


class Variable(Struct, frozen=True):
    """What a text may mention: {{ name }}. `type` is a port type; `value`: what stood there last, shortened."""

    name: str
    type: str
    origin: str
    value: str = ""


class Values(Struct):
    """What the variables of a step held in a run. `input` is the run's input; empty when nothing ran yet."""

    variables: dict[str, Any] = field(default_factory=dict)
    ran: bool = False


async def last_values(actor: Actor, run_id: str, flow: Flow, use: NodeUse) -> Values:
    """By port name. A step that did not run itself yet has what the steps before it gave. One statement beyond `run`.

    Of a step with rounds: the last one. Nothing when the run is gone, or is not one of this workspace.
    """
    own = {"vars": vars} if (vars := await variables.of_live(actor)) else {}
    try:
        run = await runs.run(actor, UUID(run_id))
    except (ValueError, NotFound):
        return Values(own)
    given: dict[str, Any] = {"input": run.input, **own}
    outputs = {step.node: step.output for step in run.steps if isinstance(step.output, dict)}
    for edge in flow.edges:
        node, _, port = edge.source.partition(".")
        to, _, name = edge.target.partition(".")
        if to == use.id and port in outputs.get(node, {}):
            given.setdefault(name, outputs[node][port])
    for step in run.steps:
        if step.node == use.id:
            given |= step.inputs
    ports = ports_of(use, catalogue.load())
    types = {port.name: port.type for port in ports.inputs} if ports is not None else {}
    return Values({name: _arrived(value, types.get(name, "any")) for name, value in given.items()}, ran=True)


def variables_of(flow: Flow, use: NodeUse, kinds: Catalogue, values: Values | None = None) -> list[Variable]:
    """Its inputs by port name, the run's input, and of known values the parts: `order.items[0].name`."""
    known = (values or Values()).variables
    found: list[Variable] = []
    ports = ports_of(use, kinds)
    wired: dict[str, str] = {}
    nodes = {node.id: node for node in flow.nodes}
    for edge in flow.edges:
        target, _, name = edge.target.partition(".")
        if target == use.id and (source := nodes.get(edge.source.partition(".")[0])) is not None:
            kind = kinds.get(source.type)
            wired[name] = source.label or (kind.title if kind is not None else source.type)
    for port in ports.inputs if ports is not None else ():
        if port.inside or port.name == "after":
            continue
        origin = f"from {wired[port.name]}" if port.name in wired else "not wired"
        type = type_of(known[port.name]) if port.type == "any" and port.name in known else port.type
        found.append(Variable(port.name, type, origin, _shown(known, port.name)))
        found += _parts(port.name, known.get(port.name), origin, MOST_PATHS // 4)
    kind = kinds.get(use.type)
    own = dict.fromkeys(n for hint in hints_of(kind.settings).values() for n in own_names(hint)) if kind else {}
    for name in own:
        first = first_round(known, (name,)) or {}
        if all(variable.name != name for variable in found):
            found.append(Variable(name, type_of(first.get(name)), "of each round", _shown(first, name)))
            found += _parts(name, first.get(name), "of each round", MOST_PATHS // 4)
    found += _parts(VARS, known.get(VARS), "variable", MOST_PATHS // 4)
    given = known.get("input")
    if isinstance(given, dict) and given:
        found += _parts("input", given, "what started the run", MOST_PATHS // 2)
    elif any((kind := kinds.get(node.type)) is not None and kind.trigger == "chat" for node in flow.nodes):
        found.append(Variable("input.message", "message", "what the visitor wrote"))
    return found[:MOST_PATHS]


def first_round(variables: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any] | None:
    """The values of a run's first round: `item` is the first of what came in as `items`, `index` is 0, any other name
    holds what came in under it. None when one of them is not known.
    """
    items = variables.get("items")
    known = {"index": 0} | ({"item": items[0]} if isinstance(items, list) and items else {})
    found = {name: known.get(name, variables.get(name)) for name in names if name in known or name in variables}
    return variables | found if len(found) == len(names) else None


def type_of(value: Any) -> str:
    """The port type of a value as it is stored."""
    match value:
        case bool():
            return "yesno"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple():
            return "list"
        case Message():
            return "message"
        case dict():
            return "object"
    return "any"


def shortly(value: Any) -> str:
    """One line of a value, as it would stand in a text."""
    text = " ".join(written(value).split())
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def path(root: str, step: str | int) -> str:
    """One step further: `order.items`, `order["first name"]`, `order[0]`; all of them are read without CEL."""
    if isinstance(step, int):
        return f"{root}[{step}]"
    return f"{root}.{step}" if step.isidentifier() and step.isascii() else f'{root}["{step}"]'


def _parts(root: str, value: Any, origin: str, most: int) -> list[Variable]:
    return [
        Variable(name, type_of(part), origin, shortly(part)) for name, part in _walk(root, value, DEEPEST) if most > 0
    ][:most]


def _walk(root: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Parts of objects, and of lists the first element: the others look like it."""
    if isinstance(value, Message):
        value = to_builtins(value)
    if depth == 0 or not isinstance(value, dict | list):
        return
    steps: list[tuple[str | int, Any]] = list(value.items()) if isinstance(value, dict) else [(0, v) for v in value[:1]]
    for step, part in steps:
        if isinstance(step, str) and ('"' in step or "\\" in step):
            continue  # such a name can't be written in a path
        name = path(root, step)
        yield name, part
        yield from _walk(name, part, depth - 1)


def _shown(known: Mapping[str, Any], name: str) -> str:
    return shortly(known[name]) if name in known else ""


def _arrived(value: Any, port: str) -> Any:
    """A stored value as it arrives at a port (docs/flow-semantics.md, 30): only there a message is one, or its text."""
    if port in ("message", "text") and isinstance(value, dict) and "text" in value:
        if value.keys() <= {"text", "role", "name"}:
            message = convert(value, Message)
            return message if port == "message" else message.text
    return value
