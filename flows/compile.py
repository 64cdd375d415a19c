"""Flow + catalogue -> Plan or Problems. Pure: nothing is run, loaded or looked up. The only user of networkx.

Checked, in the order people meet it: ids, components, settings, containers, wires, missing inputs, loops.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from flows.catalogue import Catalogue
from flows.document import content_hash
from flows.expressions import fixed
from flows.model import Flow
from flows.plan import Link, Plan, Step, Wire, maker, settled_maker
from flows.problems import Problem, Problems
from flows.reading import ID, Card, ports_of, read_card
from flows.sdk.holes import vars_in_settings
from flows.sdk.node import Nothing
from flows.sdk.ports import VALUES
from flows.straight import straight
from flows.wiring import Level, Wiring, missing_inputs

MOST_CONTAINERS_DEEP = 32
NOT_RUN = "note"
"""Nodes of this family are remarks for people."""


def compile(flow: Flow, catalogue: Catalogue) -> Plan | Problems:
    """A Plan when there is no error; warnings alone don't prevent it."""
    cards, wiring, problems = _examine(flow, catalogue)
    if any(problem.severity == "error" for problem in problems):
        return Problems(problems)
    try:
        plan = _Builder(wiring).level("")
        plan.straight = straight(plan)
    except msgspec.ValidationError as error:
        return Problems([Problem("", f"A default value does not fit: {error}.")])
    plan.name, plan.hash, plan.vars = flow.name, content_hash(flow), _variables(cards.values())
    plan.cost_micros = None if flow.cost_limit is None else round(flow.cost_limit * 1_000_000)
    return plan


def variables_of(flow: Flow, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Step -> the variables of the workspace that it reads (rules 120, 126), without those it only asks for."""
    read = {use.id: _variables([read_card(use, catalogue)[0]]) for use in flow.nodes}
    return {id: tuple(name for name in names if name) for id, names in read.items() if any(names)}


def _variables(cards: Iterable[Card]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for card in cards:
        if card.settings is None or card.type is None:
            continue
        if card.type.has_holes:
            found.update(dict.fromkeys(vars_in_settings(card.settings)))
        if card.type.reads is not None:
            found.update(dict.fromkeys(card.type.reads(card.settings)))
    return tuple(found)


def check(flow: Flow, catalogue: Catalogue) -> list[Problem]:
    """Everything the editor lists under "problems", in the order of the steps."""
    cards, _, problems = _examine(flow, catalogue)
    order = {id: i for i, id in enumerate(cards)}
    return sorted(problems, key=lambda problem: order.get(problem.node, -1))


def warm() -> None:
    """Import networkx now. A process calls this once it is ready, in a thread, so that the first flow need not wait."""
    _networkx()


def _networkx() -> Any:
    """Imported when it is used and not at the start of every process: it takes a third of a second."""
    import networkx

    return networkx


class PlanCache:
    """Plans by content. Thread-safe; the least recently used goes first."""

    def __init__(self, catalogue: Catalogue, size: int = 512) -> None:
        self.catalogue = catalogue
        self.size = size
        self._plans: OrderedDict[str, Plan | Problems] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Plan | Problems | None:
        """By the key it was put under, such as a version's id: no document has to be loaded to ask."""
        with self._lock:
            if (found := self._plans.get(key)) is not None:
                self._plans.move_to_end(key)
            return found

    def compile(self, flow: Flow, key: str = "") -> Plan | Problems:
        key = key or content_hash(flow)
        if (found := self.get(key)) is not None:
            return found
        made = compile(flow, self.catalogue)
        with self._lock:
            self._plans[key] = made
            while len(self._plans) > self.size:
                self._plans.popitem(last=False)
        return made


def _examine(flow: Flow, catalogue: Catalogue) -> tuple[dict[str, Card], Wiring, list[Problem]]:
    problems: list[Problem] = []
    cards: dict[str, Card] = {}
    if flow.cost_limit is not None and flow.cost_limit <= 0:
        problems.append(Problem("", "What a run may cost must be more than nothing. Leave it empty for no limit."))
    for id, count in Counter(use.id for use in flow.nodes).items():
        if count > 1:
            problems.append(Problem(id, f"{count} steps have the id '{id}'. Give each its own."))
        if not ID.fullmatch(id):
            problems.append(
                Problem(id, f"'{id[:64]}' can't be a step's id: letters, digits, - and _ only, at most 64.")
            )
    notes = set()
    for use in flow.nodes:
        card, found = read_card(use, catalogue)
        problems += found
        if card.type is not None and card.type.family == NOT_RUN:
            notes.add(use.id)
        elif ID.fullmatch(use.id):
            cards.setdefault(use.id, card)
    problems += _bad_parents(cards)
    problems += _nothing_to_leave(cards)
    wiring = Wiring(flow, cards, problems)
    for level in wiring.levels.values():
        problems += missing_inputs(level, wiring.tried)
        problems += _loops(level)
    return cards, wiring, problems + _warnings(wiring)


def _bad_parents(cards: dict[str, Card]) -> list[Problem]:
    """Check and cut wrong nesting, so that what follows can rely on it."""
    problems = []
    for id, card in cards.items():
        outer, seen = card.use.parent, {id}
        while outer:
            around = cards.get(outer)
            if around is None or (around.type is not None and not around.type.container) or outer in seen:
                sentence = f"Step '{card.label}' lies in '{outer}', which is no container. Move it out."
                problems.append(Problem(id, sentence))
                card.use = msgspec.structs.replace(card.use, parent="")
                break
            seen.add(outer)
            outer = around.use.parent
        if len(seen) > MOST_CONTAINERS_DEEP + 1:
            deep = f"lies {len(seen) - 1} containers deep; at most {MOST_CONTAINERS_DEEP} are allowed"
            problems.append(Problem(id, f"Step '{card.label}' {deep}."))
    return problems


def _nothing_to_leave(cards: dict[str, Card]) -> list[Problem]:
    return [
        Problem(id, f"'{card.label}' leaves the container it lies in, but lies in none. Put it into one.")
        for id, card in cards.items()
        if card.type is not None and card.type.ends in ("round", "rounds") and not card.use.parent
    ]


def _loops(level: Level) -> list[Problem]:
    nx = _networkx()
    graph: Any = nx.DiGraph(sorted(level.arcs()))
    problems = []
    for knot in nx.strongly_connected_components(graph):
        first = min(knot)
        if len(knot) == 1 and not graph.has_edge(first, first):
            continue
        around = [a for a, _ in nx.find_cycle(graph.subgraph(knot), first)]
        names = [level.cards[i - level.offset].label for i in around]
        path = " → ".join([*names, names[0]])
        cure = "Remove one wire, or put the repetition in a 'Repeat' or a 'For each'."
        sentence = f"These steps feed each other in a loop: {path}. {cure}"
        problems.append(Problem(level.cards[around[0] - level.offset].use.id, sentence))
    return problems


def _warnings(wiring: Wiring) -> list[Problem]:
    problems = []
    for id, level in wiring.levels.items():
        card = wiring.cards.get(id)
        if card is None or card.type is None:
            continue
        if card.type.undo:
            if not level.cards:
                sentence = f"'{card.label}' undoes nothing. Wire it to the step that takes the other one back."
                problems.append(Problem(id, sentence, "warning"))
        elif not any(port.inside for port in card.ports.inputs):
            continue
        elif not level.cards:
            problems.append(Problem(id, f"'{card.label}' is empty. Put the steps to repeat into it.", "warning"))
        elif not level.result:
            sentence = (
                f"No step in '{card.label}' hands over a result, so its list will be empty. Wire one into 'Result'."
            )
            problems.append(Problem(id, sentence, "warning"))
    return problems


class _Builder:
    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def level(self, id: str) -> Plan:
        level = self.wiring.levels[id]
        steps = [self._step(level, i, card) for i, card in enumerate(level.cards)]
        if level.offset:
            steps.insert(0, self._inner_edge())
        wires: list[list[tuple[Wire, Link]]] = [[] for _ in steps]
        for step in steps[level.offset :]:
            for port in step.ports:
                for link in port.links:
                    wires[link.source].append((Wire(step.index, link.read), link))
            for _, link in step.captures if step.kind is None or not step.kind.undo else ():
                wires[link.source].append((Wire(step.index, lambda _: None), link))
        indegree = [0] * len(steps)
        for step, out in zip(steps, wires, strict=True):
            step.wires = tuple(wire for wire, _ in out)
            plain = all(link.certain for _, link in out)
            plain = plain and not any(steps[wire.target].need or steps[wire.target].disabled for wire in step.wires)
            step.succ = tuple(wire.target for wire in step.wires) if plain else None
            step.answer = any((kind := steps[wire.target].kind) is not None and kind.result for wire in step.wires)
            for wire in step.wires:
                indegree[wire.target] += 1
        self._races(steps, level)
        return Plan(tuple(steps), tuple(indegree), tuple(level.result))

    def _step(self, level: Level, i: int, card: Card) -> Step:
        type, use = card.type, card.use
        if type is None:
            raise AssertionError(f"'{use.id}' has no type, and _examine let it pass")
        step = Step()
        step.index, step.id, step.label = i + level.offset, use.id, card.label
        step.kind, step.fn, step.needs = type, type.fn, type.needs
        step.settings, step.fill = fixed(card.settings, card.fill)
        step.inputs, step.outputs = type.inputs, type.outputs
        step.ports = level.in_ports(i)
        step.make = maker(type.inputs, step.ports, card.label)
        step.effect = type.effect_with(card.settings)
        step.retry, step.on_error = use.retry, use.on_error
        step.timeout = use.timeout if use.timeout is not None else type.timeout
        step.keep = use.keep or 0.0
        step.default_out = _default(card) if use.on_error == "default" else None
        policy, count = type.join_of(card.settings) if type.join_of is not None else ("all", 0)
        step.need = {"all": 0, "settled": 0, "any": 1, "first": 1, "n": max(1, count)}[policy]
        step.settled = policy == "settled"
        if step.settled:
            step.make = settled_maker(type.inputs, step.ports, card.label)
        step.race = frozenset((-1,)) if policy == "first" else frozenset()
        step.body = self.level(use.id) if type.container or type.undo else None
        step.captures = tuple(level.captures.get(use.id, {}).items())
        step.result, step.disabled = type.result, use.disabled
        step.replayed = type.container or type.subflow
        step.inline = type.never_suspends and not use.disabled and not type.ends and not type.undo
        step.inline = step.inline and not step.keep  # its result may have to be fetched
        return step

    @staticmethod
    def _inner_edge() -> Step:
        edge = Step()
        edge.index, edge.id, edge.label, edge.kind = 0, "", "", None
        edge.ports, edge.captures, edge.body, edge.need, edge.race = (), (), None, 0, frozenset()
        edge.effect, edge.result, edge.disabled, edge.inline, edge.on_error = "pure", False, False, False, "stop"
        edge.replayed = edge.settled = False
        edge.keep = 0.0
        edge.inputs = edge.outputs = Nothing
        return edge

    def _races(self, steps: list[Step], level: Level) -> None:
        """For a join that takes the first: the steps that serve nothing but this join, which it may call off."""
        for join in steps:
            if not join.race:
                continue
            nx = _networkx()
            graph: Any = nx.DiGraph(sorted(level.arcs()))
            alone = {join.index}
            for i in reversed(list(nx.topological_sort(graph.subgraph(nx.ancestors(graph, join.index))))):
                if all(after in alone for after in graph.successors(i)) and not steps[i].result:
                    alone.add(i)
            join.race = frozenset(alone - {join.index})


def _default(card: Card) -> Any:
    """The outputs given instead of a failure. Raises msgspec.ValidationError when they don't fit the ports."""
    if card.type is None:
        return None
    names = {field.name for field in msgspec.structs.fields(card.type.outputs)}
    given = {name: value for name, value in card.use.default.items() if name in names}
    if VALUES in names:
        given[VALUES] = {name: value for name, value in card.use.default.items() if name not in names}
    return msgspec.convert(given, card.type.outputs)


__all__ = ["Plan", "PlanCache", "Problem", "Problems", "check", "compile", "ports_of"]
