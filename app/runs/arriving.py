"""What arrived at each step of a run, taken from what the steps before gave: it is not stored twice. Pure.

In rounds of containers it is looked for in the same round, then in those around. What a container's inner ports carry
is worked out from what went into it: the item of a For each, the state of a Repeat.
"""

from collections.abc import Mapping
from typing import Any

from app.runs.why import carried
from flows import catalogue
from flows.model import Edge, Flow, NodeUse
from flows.sdk.ports import AFTER

Given = Mapping[tuple[str, str], Any]
"""(step, rounds) → its output, plain; only of steps that gave one."""


def wires_into(flow: Flow) -> dict[str, list[tuple[str, Edge]]]:
    """step → (its input port, the wire), in the order of the document."""
    found: dict[str, list[tuple[str, Edge]]] = {}
    for edge in flow.edges:
        target, _, port = edge.target.rpartition(".")
        found.setdefault(target, []).append((port, edge))
    return found


class Arrivals:
    """Of one run of a flow."""

    def __init__(self, flow: Flow, given: Given) -> None:
        self._given = given
        self._uses = {use.id: use for use in flow.nodes}
        self._into = wires_into(flow)

    def at(self, node: str, iter: str) -> dict[str, Any]:
        """By input port, without what only makes the step wait. A port that takes many wires has a list."""
        many = self._many(node)
        found: dict[str, Any] = {}
        for port, edge in self._into.get(node, ()):
            source, _, out = edge.source.rpartition(".")
            if port == AFTER or self._inside(node, source):
                continue
            there, value = self._carried(source, out, iter, node)
            if there and port in many:
                found.setdefault(port, []).append(value)
            elif there:
                found[port] = value
        return found

    def _carried(self, source: str, out: str, iter: str, node: str) -> tuple[bool, Any]:
        if self._holds(source, node):
            return self._inner(self._uses[source], out, iter)
        at = iter
        while True:
            if (source, at) in self._given:
                return carried(self._given[source, at], out)
            if not at:
                return False, None
            at = at.rpartition(".")[0]

    def _inner(self, container: NodeUse, out: str, iter: str) -> tuple[bool, Any]:
        """A container's own port as its steps see it. `iter`: of the step inside."""
        outer, _, number = self._level(iter, container).rpartition(".")
        if not number.isdigit():
            return False, None
        if out == "index":
            return True, int(number)
        if container.type == "logic.each" and out == "item":
            items = self.at(container.id, outer).get("items")
            there = isinstance(items, list) and int(number) < len(items)
            return there, items[int(number)] if there and isinstance(items, list) else None
        if container.type == "logic.loop" and out == "current":
            return self._state(container, outer, int(number))
        return False, None

    def _state(self, loop: NodeUse, outer: str, number: int) -> tuple[bool, Any]:
        """What the round before handed on; rounds that handed nothing on leave the state as it was."""
        for before in range(number - 1, -1, -1):
            iter = f"{outer}.{before}" if outer else str(before)
            for port, edge in self._into.get(loop.id, ()):
                source, _, out = edge.source.rpartition(".")
                if port == "next" and (source, iter) in self._given:
                    there, value = carried(self._given[source, iter], out)
                    if there:
                        return True, value
        inputs = self.at(loop.id, outer)
        return "state" in inputs, inputs.get("state")

    def _level(self, iter: str, container: NodeUse) -> str:
        """The rounds as far as this container's own: "3.0" of a step two deep is "3" for the outer one."""
        depth, at = 1, container.parent
        while at and at in self._uses:
            depth, at = depth + 1, self._uses[at].parent
        return ".".join(iter.split(".")[:depth])

    def _holds(self, container: str, node: str) -> bool:
        """Whether the step lies in this container, however deep."""
        at = self._uses[node].parent if node in self._uses else ""
        while at:
            if at == container:
                return True
            at = self._uses[at].parent if at in self._uses else ""
        return False

    def _inside(self, container: str, source: str) -> bool:
        """A round handing over its result is nothing that arrives at the container."""
        return self._holds(container, source)

    def _many(self, node: str) -> set[str]:
        use = self._uses.get(node)
        kind = catalogue.load().get(use.type) if use else None
        return {port.name for port in kind.static.inputs if port.many} if kind is not None else set()
