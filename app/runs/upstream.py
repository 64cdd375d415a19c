"""What comes before a step, as one short hash: it changes exactly when something changes that can reach the step. Pure.

Before a step are all steps from which wires lead to it, whole containers among them with what lies inside, and the
containers around it with what comes before those. Places, names, retries and time limits do not count: they change when
and how often, not what.
"""

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from flows.model import Edge, Flow, NodeUse

NEXT = "next"
"""The inner port of a Repeat: what reaches it in one round is what the next begins with (rule 46). What reaches other
inner ports leaves the container, so it does not come before the steps inside."""


class Upstream:
    """Of one flow. `hash_of` is asked for many steps; the wires are put in order once."""

    def __init__(self, flow: Flow) -> None:
        self._uses = {use.id: use for use in flow.nodes}
        self._into: dict[str, list[tuple[int, Edge]]] = {}
        self._inside: dict[str, list[str]] = {}
        for place, edge in enumerate(flow.edges):
            self._into.setdefault(_step(edge.target), []).append((place, edge))
        for use in flow.nodes:
            self._inside.setdefault(use.parent, []).append(use.id)

    def hash_of(self, step: str) -> str:
        """16 hex characters. The step's own settings are not in it (`rehearsal.digest` has them)."""
        found, wires = self._before(step)
        steps = [_what(self._uses[each]) for each in sorted(found - {step}) if each in self._uses]
        # The order of wires into one port is part of what it gets; that of ports is not.
        ends = [(edge.target, edge.source) for _, edge in sorted(wires, key=lambda wire: (wire[1].target, wire[0]))]
        return blake2b(msgspec.json.encode([steps, ends], order="sorted"), digest_size=8).hexdigest()

    def _before(self, step: str) -> tuple[set[str], set[tuple[int, Edge]]]:
        """(steps, wires). A container around a step counts without what lies inside; one before it counts whole."""
        seen: set[tuple[str, bool]] = set()
        wires: set[tuple[int, Edge]] = set()
        left = [(step, False)]
        while left:
            here, around = left.pop()
            if (here, around) in seen:
                continue
            seen.add((here, around))
            outer, inside = self._around(here), set(self._within(here)) if around else set[str]()
            for wire in self._into.get(here, ()):
                source = _step(wire[1].source)
                if source not in inside or wire[1].target.endswith(f".{NEXT}"):
                    wires.add(wire)
                    left.append((source, source in outer))
            if outer:
                left.append((self._uses[here].parent, True))
            if not around:
                left += [(inner, False) for inner in self._within(here)]
        return {each for each, _ in seen}, wires

    def _around(self, step: str) -> set[str]:
        found: set[str] = set()
        while (use := self._uses.get(step)) is not None and use.parent and use.parent not in found:
            found.add(use.parent)
            step = use.parent
        return found

    def _within(self, step: str) -> Iterator[str]:
        for inner in self._inside.get(step, ()) if step else ():
            yield inner
            yield from self._within(inner)


def _step(end: str) -> str:
    return end.partition(".")[0]


def _what(use: NodeUse) -> list[object]:
    return [use.id, use.type, use.version, use.settings, use.parent, use.disabled, use.on_error, use.default]
