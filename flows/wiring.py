"""Second half of compiling: the wires. Which level each belongs to, whether its ends fit, what is missing.

A level is the flow itself ("") or the inside of one container (its id). A wire may enter a container, however deep, but
never leave it: values come out through the container's own ports.
"""

from typing import Any, get_args

import msgspec

from flows.catalogue import AnyNode
from flows.coerce import ARTICLE, coercer
from flows.model import Edge as Wire
from flows.model import Flow
from flows.plan import InPort, Link, read_field, read_value
from flows.problems import Problem
from flows.reading import AFTER_PORT, Card
from flows.sdk.holes import hints_of
from flows.sdk.ports import AFTER, VALUES, Port, PortType, bare, fits
from flows.sdk.values import Audio, Document, File, Image, Message

ANNOTATION: dict[PortType, Any] = {
    "text": str,
    "number": float,
    "yesno": bool,
    "object": dict,
    "list": list,
    "file": File,
    "image": Image,
    "audio": Audio,
    "document": Document,
    "message": Message,
    "any": Any,
}


class Level:
    """Steps side by side. In a container index 0 is its inner edge."""

    def __init__(self, id: str, cards: list[Card]) -> None:
        self.id = id
        self.cards = cards
        self.offset = 1 if id else 0
        self.index = {card.use.id: i + self.offset for i, card in enumerate(cards)}
        self.links: list[dict[str, list[Link]]] = [{} for _ in cards]
        self.captures: dict[str, dict[str, Link]] = {}
        self.result: list[Link] = []

    def arcs(self) -> set[tuple[int, int]]:
        """(from, to) for every wire and every capture; the inner edge is left out."""
        found = {
            (link.source, i + self.offset)
            for i, ports in enumerate(self.links)
            for links in ports.values()
            for link in links
        }
        for container, captured in self.captures.items():
            found |= {(link.source, self.index[container]) for link in captured.values()}
        return {(a, b) for a, b in found if not (self.id and a == 0)}

    def in_ports(self, i: int) -> tuple[InPort, ...]:
        card = self.cards[i]
        ports = [*card.inputs.values(), AFTER_PORT]
        linked = self.links[i]
        return tuple(
            InPort(p.name, p.required or p.name == AFTER, p.many, tuple(linked[p.name]))
            for p in ports
            if p.name in linked
        )


class Wiring:
    def __init__(self, flow: Flow, cards: dict[str, Card], problems: list[Problem]) -> None:
        self.cards = cards
        self.problems = problems
        self.tried: set[str] = set()
        problems += undo_branches(flow, cards)
        self.parent = {id: card.use.parent for id, card in cards.items()}
        inside: dict[str, list[Card]] = {"": []}
        for id, card in cards.items():
            if card.type is not None and (card.type.container or card.type.undo):
                inside.setdefault(id, [])
            inside.setdefault(card.use.parent, []).append(card)
        self.levels = {id: Level(id, members) for id, members in inside.items()}
        for wire in flow.edges:
            self._lay(wire)

    def chain(self, id: str) -> list[str]:
        """The levels around a node, innermost first, "" last."""
        found = [self.parent[id]]
        while found[-1]:
            found.append(self.parent[found[-1]])
        return found

    def _lay(self, wire: Wire) -> None:
        (source_id, _, out), (target_id, _, into) = wire.source.partition("."), wire.target.partition(".")
        source, target = self.cards.get(source_id), self.cards.get(target_id)
        self.tried.add(wire.target)
        if source is None or target is None:
            missing, there = (source_id, target_id) if source is None else (target_id, source_id)
            self._wrong(wire, there, f"A wire leads to '{missing}', which is gone. Remove it.")
            return
        if source.type is None or target.type is None or source.settings is None or target.settings is None:
            return  # its own problem says what to do
        port, goal = source.outputs.get(out), AFTER_PORT if into == AFTER else target.inputs.get(into)
        if port is None or goal is None:
            card, name, way = (source, out, "output") if port is None else (target, into, "input")
            self._wrong(
                wire, card.use.id, f"Step '{card.label}' has no {way} '{name}' with its present settings.", name
            )
            return
        to_level = target_id if goal.inside else self.parent[target_id]
        from_level = source_id if port.inside or source.type.undo else self.parent[source_id]
        if reason := self._refusal(source, port, target, goal, from_level, to_level):
            self._wrong(wire, target_id, reason, into)
            return
        link = self._link(source, port, target, goal, from_level, to_level)
        if goal.inside:
            self.levels[to_level].result.append(link)
            return
        level = self.levels[to_level]
        links = level.links[level.index[target_id] - level.offset].setdefault(into, [])
        if links and not goal.many:
            self._wrong(wire, target_id, f"'{into}' of step '{target.label}' takes one wire only. Use a Join.", into)
            return
        links.append(link)

    def _refusal(self, source: Card, port: Port, target: Card, goal: Port, from_level: str, to_level: str) -> str:
        if goal.name != AFTER and not fits(port.type, goal.type):
            needs = f"'{goal.name}' of step '{target.label}' needs {ARTICLE[goal.type]}"
            return f"{needs}, but '{port.name}' of step '{source.label}' is {ARTICLE[port.type]}."
        if self._reaches(from_level, to_level):
            return ""
        where = self.cards[from_level].label
        return f"A wire leads out of '{where}' to step '{target.label}'. Take the value from '{where}' itself."

    def _reaches(self, from_level: str, to_level: str) -> bool:
        return from_level == to_level or (to_level != "" and from_level in self.chain(to_level))

    def _link(self, source: Card, port: Port, target: Card, goal: Port, from_level: str, to_level: str) -> Link:
        spoken = f"'{port.name}' of step '{source.label}'"
        annotation = _output_annotation(source.type, port)
        coerce = None if goal.name == AFTER else coercer(annotation, _input_annotation(target.type, goal))
        if from_level == source.use.id:  # an inner port of the container
            key, index, read, certain = port.name, 0, read_value(port.name), False
        else:
            key = f"{source.use.id}.{port.name}"
            index = self.levels[from_level].index[source.use.id]
            dynamic = _is_dynamic(source.type, port)
            read = read_value(port.name) if dynamic else read_field(port.name)
            certain = not dynamic and not port.branch and source.use.on_error in ("stop", "default")
        if from_level != to_level:
            link = Link(index, read, port.name, spoken)
            index, read, certain = self._capture(key, link, from_level, to_level), read_value(key), False
        return Link(index, read, port.name, spoken, coerce, certain, source.use.id)

    def _capture(self, key: str, link: Link, from_level: str, to_level: str) -> int:
        """Hand the value through every container between; gives the index of the innermost inner edge."""
        between = [to_level, *self.chain(to_level)]
        for container in reversed(between[: between.index(from_level)]):
            self.levels[self.parent[container]].captures.setdefault(container, {})[key] = link
            link = Link(0, read_value(key), link.port, link.spoken)
        return 0

    def _wrong(self, wire: Wire, node: str, message: str, port: str = "") -> None:
        self.problems.append(Problem(node, message, port=port, edge=wire.id))


def undo_branches(flow: Flow, cards: dict[str, Card]) -> list[Problem]:
    """Steps behind an undo step become its inside. Each must belong to one branch, and end no more than itself."""
    after: dict[str, set[str]] = {}
    for wire in flow.edges:
        after.setdefault(wire.source.partition(".")[0], set()).add(wire.target.partition(".")[0])
    problems, owner = [], dict[str, str]()
    for id, card in cards.items():
        if card.type is None or not card.type.undo:
            continue
        todo, seen = [id], {id}
        while todo:
            found = {_at_level(target, card.use.parent, cards) for target in after.get(todo.pop(), ())} - seen - {""}
            seen |= found
            todo += found
        for member in seen - {id}:
            inner = cards[member]
            if member in owner:
                other = cards[owner[member]].label
                twice = (
                    f"Step '{inner.label}' belongs to two undo branches, of '{other}' and of '{card.label}'. "
                    "Give each its own."
                )
                problems.append(Problem(member, twice))
            elif inner.type is not None and (inner.type.undo or inner.type.ends or inner.type.trigger):
                problems.append(Problem(member, f"'{inner.label}' can't stand in the undo branch of '{card.label}'."))
            owner[member] = id
    for member, id in owner.items():
        cards[member].use = msgspec.structs.replace(cards[member].use, parent=id)
    return problems


def _at_level(id: str, level: str, cards: dict[str, Card]) -> str:
    """The step of this level that is or contains the step `id`; "" when there is none."""
    while id in cards and cards[id].use.parent != level:
        id = cards[id].use.parent
    return id if id in cards else ""


def missing_inputs(level: Level, tried: set[str]) -> list[Problem]:
    """Required inputs that nothing is wired into. `tried`: those with a wire that has a problem of its own."""
    found = []
    for card in level.cards:
        if card.use.disabled or card.type is None:
            continue
        for port in card.ports.inputs:
            if port.required and not port.inside and f"{card.use.id}.{port.name}" not in tried:
                sentence = (
                    f"Step '{card.label}' needs {ARTICLE[port.type]} at '{port.title or port.name}'. Wire something in."
                )
                found.append(Problem(card.use.id, sentence, port=port.name))
    return found


def _is_dynamic(type: AnyNode | None, port: Port) -> bool:
    return type is not None and port.name not in hints_of(type.outputs) and port.name != "error"


def _output_annotation(type: AnyNode | None, port: Port) -> Any:
    hint = hints_of(type.outputs).get(port.name) if type is not None else None
    return ANNOTATION[port.type] if hint is None or port.name == VALUES else bare(hint)


def _input_annotation(type: AnyNode | None, port: Port) -> Any:
    hint = hints_of(type.inputs).get(port.name) if type is not None else None
    if hint is None:
        return ANNOTATION[port.type]
    return bare((get_args(bare(hint)) or (Any,))[0]) if port.many else hint
