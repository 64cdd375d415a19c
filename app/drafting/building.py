"""From what a model said to a document, and to the sentences that tell it what to repair. Pure."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Struct

from app.drafting.grammar import MOST_STEPS, MOST_WIRES, Said, StepSaid, drafted, private, settings_schema
from app.drafting.placing import place
from flows import catalogue
from flows.catalogue import AnyNode
from flows.compile import check
from flows.model import Edge, Flow, NodeUse, Retry

ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
MOST_FAULTS = 12
"""Told at once: more than a dozen sentences have one cause or the answer is no use."""
LONGEST_NAME, LONGEST_LABEL = 120, 120


class Built(Struct, frozen=True):
    """`faults`: what the model has to repair; empty = the flow can be shown. `notes`: what the person has to do."""

    flow: Flow
    faults: list[str]
    notes: list[str] = []


class _Faulty(Exception):
    """One sentence for the model."""


class _Bench:
    """The document while an answer is worked into it."""

    def __init__(self, before: Flow, models: Collection[str]) -> None:
        self.before, self.models = before, models
        self.nodes = {node.id: node for node in before.nodes}
        self.edges = {edge.id: edge for edge in before.edges}
        self.kinds = drafted()
        self.notes: list[str] = []
        self.faults: list[str] = []

    def remove(self, id: str) -> None:
        if id not in self.nodes:
            raise _Faulty(f"There is no step '{id[:60]}' to remove.")
        gone = {id}
        while more := {node.id for node in self.nodes.values() if node.parent in gone} - gone:
            gone |= more
        self.nodes = {key: node for key, node in self.nodes.items() if key not in gone}
        ends = {edge.id: {edge.source.partition(".")[0], edge.target.partition(".")[0]} for edge in self.edges.values()}
        self.edges = {key: edge for key, edge in self.edges.items() if not ends[key] & gone}

    def step(self, said: StepSaid) -> None:
        if not ID.fullmatch(said.id):
            raise _Faulty(f"'{said.id[:60]}' can't be a step's id: up to 40 letters, digits, - and _.")
        there = self.nodes.get(said.id)
        kind = catalogue.load().get(said.type) if there is not None else self.kinds.get(said.type)
        if there is not None and there.type != said.type:
            raise _Faulty(
                f"Step '{said.id}' is of type {there.type}. To replace it, remove it and add one with another id."
            )
        if kind is None:
            near = get_close_matches(said.type, self.kinds, 3)
            raise _Faulty(
                f"There is no step type '{said.type[:60]}'." + (f" Did you mean {', '.join(near)}?" if near else "")
            )
        node = there or NodeUse(said.id, said.type, kind.version)
        changed: dict[str, Any] = {"settings": self._settings(said, node, kind)}
        if said.label is not None:
            changed["label"] = said.label.strip()[:LONGEST_LABEL]
        if said.inside is not None:
            changed["parent"] = said.inside
        if said.on_error is not None:
            changed["on_error"] = said.on_error
        if said.tries is not None:
            changed["retry"] = Retry(said.tries, node.retry.delay)
        self.nodes[said.id] = msgspec.structs.replace(node, **changed)

    def _settings(self, said: StepSaid, node: NodeUse, kind: AnyNode) -> dict[str, Any]:
        fields = settings_schema(kind).get("properties", {})
        settings = dict(node.settings)
        for name, value in said.settings.items():
            about = fields.get(name)
            if about is None:
                has = ", ".join(each for each in fields if not private(fields[each]))
                raise _Faulty(f"Step '{said.id}' ({kind.name}) has no setting '{name[:60]}'. It has: {has or 'none'}.")
            if private(about):
                self.notes.append(f"Choose a connection for “{said.label or node.label or kind.title}” yourself.")
            elif value is None and _may_not_be_null(about):
                settings.pop(name, None)
            elif about.get("x-widget") == "model" and value and value not in self.models:
                raise _Faulty(
                    f"Step '{said.id}': there is no model '{str(value)[:80]}'. Leave it out, or take a listed one."
                )
            else:
                settings[name] = value
        return settings

    def wire(self, source: str, target: str) -> None:
        for end in (source, target):
            id, dot, port = end.partition(".")
            if not dot or not port:
                raise _Faulty(f"'{end[:80]}' is no end of a wire: write it as step.port.")
            if id not in self.nodes:
                raise _Faulty(f"The wire {source[:60]} → {target[:60]} names the step '{id[:60]}', which is not there.")
        edge = Edge(source, target)
        self.edges.setdefault(edge.id, edge)

    def parents(self) -> None:
        """Every step lies in the flow or in a container that is there, and in no circle."""
        kinds = catalogue.load()
        for node in self.nodes.values():
            seen, above = {node.id}, node.parent
            while above:
                holder = self.nodes.get(above)
                kind = kinds.get(holder.type) if holder is not None else None
                if holder is None or above in seen or (kind is not None and not (kind.container or kind.undo)):
                    raise _Faulty(
                        f"Step '{node.id}' can't lie inside '{above[:60]}': that is no step that holds others."
                    )
                seen.add(above)
                above = holder.parent


def build(before: Flow, said: Said, models: Collection[str] = ()) -> Built:
    """Work an answer into a flow (an empty one for a new flow). `models`: those a step may name.

    Faults that the flow had before are not the model's to repair.
    """
    if len(said.steps) > MOST_STEPS or len(said.wires) > MOST_WIRES:
        return Built(before, [f"At most {MOST_STEPS} steps and {MOST_WIRES} wires fit into one answer. Say less."])
    bench = _Bench(before, models)
    for wire in said.unwire:
        bench.edges.pop(Edge(wire.source, wire.target).id, None)
    for work, things in ((bench.remove, said.remove), (bench.step, said.steps)):
        for each in things:
            _tried(bench, work, each)
    for wire in said.wires:
        _tried(bench, bench.wire, wire.source, wire.target)
    _tried(bench, bench.parents)
    if bench.faults:
        return Built(before, bench.faults[:MOST_FAULTS])
    flow = msgspec.structs.replace(before, nodes=list(bench.nodes.values()), edges=list(bench.edges.values()))
    if said.name.strip() and not before.nodes:
        flow = msgspec.structs.replace(flow, name=said.name.strip()[:LONGEST_NAME])
    return Built(_laid_out(flow, before), _new_faults(before, flow)[:MOST_FAULTS], list(dict.fromkeys(bench.notes)))


def _tried(bench: _Bench, work: Any, *things: Any) -> None:
    try:
        work(*things)
    except _Faulty as fault:
        bench.faults.append(str(fault))


def _may_not_be_null(about: dict[str, Any]) -> bool:
    """Whether null can only mean "the default": the setting itself knows no such value."""
    kinds = [each.get("type") for each in (*about.get("anyOf", ()), about)]
    return "null" not in kinds and any(kinds)


def _laid_out(flow: Flow, before: Flow) -> Flow:
    was = {node.id: node.parent for node in before.nodes}
    return place(flow, {node.id for node in flow.nodes if was.get(node.id) == node.parent})


def _new_faults(before: Flow, after: Flow) -> list[str]:
    kinds = catalogue.load()
    known = {(problem.node, problem.message) for problem in check(before, kinds)} if before.nodes else set()
    if not after.nodes:
        return ["There is no step in this flow."]
    return [
        f"{problem.message}" + (f" (step id '{problem.node}')" if problem.node else "")
        for problem in check(after, kinds)
        if problem.severity == "error" and (problem.node, problem.message) not in known
    ]
