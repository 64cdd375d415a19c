"""Why did this not run? Back along the wires that stayed silent, to the step that decided it. Pure.

The rules are 2 to 5 of docs/flow-semantics.md: a step is skipped when a required port, or every port, got only silent
wires; a start step when the run was started by something else.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from app.language.sentences import say
from flows import catalogue
from flows.model import Flow, NodeUse
from flows.sdk.ports import AFTER, VALUES

Seen = Mapping[tuple[str, str], tuple[str, Any]]
"""(step, rounds) → (status, output) of what is on record."""
MOST_LINKS = 30
"""Steps a chain is followed back."""


class Link(Struct, frozen=True):
    """One step on the way back. `node`: where a page can point to; `words`: what was so there."""

    node: str
    title: str
    words: str


class Why(Struct, frozen=True):
    """`cause`: the step that decided it, and how, as one sentence. `chain`: from the skipped step back to it."""

    cause: str
    chain: list[Link]


def carried(output: Any, port: str) -> tuple[bool, Any]:
    """(whether this output port carried a value, the value). A port that stayed silent is not in the output."""
    if isinstance(output, dict):
        if port in output:
            return True, output[port]
        values = output.get(VALUES)
        if isinstance(values, dict) and port in values:
            return True, values[port]
    return False, None


def gave(output: Any) -> list[str]:
    """The output ports that carried a value."""
    if not isinstance(output, dict):
        return []
    values = output.get(VALUES)
    return [port for port in output if port != VALUES] + (list(values) if isinstance(values, dict) else [])


def reasons(flow: Flow, seen: Seen, trigger: str) -> Callable[[str, str], Why]:
    """A function (step, rounds) → why it was skipped, for one run."""
    return _Reasons(flow, seen, trigger).why


class _Reasons:
    def __init__(self, flow: Flow, seen: Seen, trigger: str) -> None:
        self.seen = seen
        self.trigger = trigger
        self.uses = {use.id: use for use in flow.nodes}
        self.kinds = catalogue.load()
        self.into: dict[str, list[tuple[str, str, str]]] = {}
        for edge in flow.edges:
            (source, _, out), (target, _, port) = edge.source.rpartition("."), edge.target.rpartition(".")
            self.into.setdefault(target, []).append((port, source, out))

    def why(self, node: str, iter: str) -> Why:
        chain: list[Link] = []
        met: set[str] = set()
        while len(chain) < MOST_LINKS and node not in met:
            met.add(node)
            words, before = self._here(node, iter)
            chain.append(Link(node, self.title(node), words))
            if before == "":
                break
            node = before
        last = chain[-1]
        return Why(f"{last.title}: {last.words}" if len(chain) > 1 else last.words, chain)

    def title(self, node: str) -> str:
        use = self.uses.get(node)
        kind = self.kinds.get(use.type) if use else None
        return (use.label if use else "") or say(kind.title if kind else "") or node

    def _here(self, node: str, iter: str) -> tuple[str, str]:
        """(what was so at this step, the step to look at next or "")."""
        use = self.uses.get(node)
        if use is None:
            return "It is part of another flow; that flow's own wires decide it.", ""
        if use.disabled:
            return "This step is switched off.", ""
        kind = self.kinds.get(use.type)
        if kind is not None and kind.trigger and kind.trigger != self.trigger.partition(":")[0]:
            began = self.trigger.partition(":")[0]
            return f"It starts runs of another kind ({kind.trigger}); this one was started by {began}.", ""
        silent = [wire for wire in self.into.get(node, ()) if not self._carried(wire, iter)]
        arrived = len(self.into.get(node, ())) - len(silent)
        required = self._required(use)
        decisive = [wire for wire in silent if wire[0] in required] or silent
        if not decisive:
            return "Another branch came first, so this one was called off.", ""
        if arrived and not any(wire[0] in required for wire in silent):
            return "A step after it had its value already, so it was called off.", ""
        return self._blame(decisive[0], iter)

    def _blame(self, wire: tuple[str, str, str], iter: str) -> tuple[str, str]:
        port, source, out = wire
        status, output = self._of(source, iter)
        name = "It waits for" if port == AFTER else f"Its '{port}' comes from"
        where = f"{name} '{self.title(source)}'"
        if status == "skipped":
            return f"{where}, which was skipped too.", source
        if status == "failed":
            return f"{where}, which failed, and the flow went on without it.", ""
        if status == "succeeded":
            taken = gave(output)
            went = f" It went '{taken[0]}'." if len(taken) == 1 else ""
            return f"{where}, which gave nothing on '{out}'.{went}", ""
        return f"{where}, which did not get that far.", ""

    def _carried(self, wire: tuple[str, str, str], iter: str) -> bool:
        _, source, out = wire
        status, output = self._of(source, iter)
        return status in ("succeeded", "failed") and (carried(output, out)[0] or self._inner_edge(source, iter))

    def _inner_edge(self, source: str, iter: str) -> bool:
        """A wire from the inside of a container's own ports always carries a value while its rounds run."""
        use = self.uses.get(source)
        kind = self.kinds.get(use.type) if use else None
        return bool(iter and kind is not None and kind.container)

    def _of(self, node: str, iter: str) -> tuple[str, Any]:
        """The outcome of a step as this round sees it: of the same round, else of the rounds around it."""
        while True:
            if (found := self.seen.get((node, iter))) is not None:
                return found
            if not iter:
                return "", None
            iter = iter.rpartition(".")[0]

    def _required(self, use: NodeUse) -> set[str]:
        kind = self.kinds.get(use.type)
        if kind is None:
            return set()
        return {AFTER, *(port.name for port in kind.static.inputs if port.required)}
