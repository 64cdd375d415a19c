"""Where drafted steps come to lie: in columns from left to right, inside containers as outside. Pure.

A step that was there stays where it is, unless a new one has to stand before it: then it moves to the right.
"""

import msgspec

from app.studio import queries as studio
from flows.model import Flow, NodeUse

ACROSS, DOWN = 64.0, 40.0
FIRST = (48.0, 96.0)
INSIDE = (32.0, 72.0)
MARGIN = 32.0
MOST_SLIDES = 200


class Placer:
    """One document being laid out. Sizes are those the cards really have."""

    def __init__(self, flow: Flow, known: set[str]) -> None:
        self.flow, self.known = flow, known
        self.nodes = {node.id: node for node in flow.nodes}
        self.size = {view.id: (view.w, view.h) for view in studio.views(flow, [])}
        self.after: dict[str, list[str]] = {}
        self.before: dict[str, list[str]] = {}
        for edge in flow.edges:
            self._follow(edge.source.partition(".")[0], edge.target.partition(".")[0])

    def _follow(self, source: str, target: str) -> None:
        """A wire into a container counts for the container at the level of its source."""
        while target in self.nodes and source in self.nodes:
            if self.nodes[source].parent == self.nodes[target].parent:
                if source != target:
                    self.after.setdefault(source, []).append(target)
                    self.before.setdefault(target, []).append(source)
                return
            target = self.nodes[target].parent

    def placed(self) -> Flow:
        self._level("")
        return msgspec.structs.replace(self.flow, nodes=list(self.nodes.values()))

    def _level(self, parent: str) -> None:
        members = [node.id for node in self.flow.nodes if node.parent == parent]
        for id in members:
            if any(node.parent == id for node in self.flow.nodes):
                self._level(id)
                self._grow(id)
        start = INSIDE if parent else FIRST
        for id in self._ordered([id for id in members if id not in self.known]):
            self._put(id, members, start)
            self.known.add(id)

    def _ordered(self, fresh: list[str]) -> list[str]:
        """New steps, each after those it gets its data from."""
        found: list[str] = []
        todo = list(fresh)
        while todo:
            ready = next((id for id in todo if not (set(self.before.get(id, ())) & set(todo)) - {id}), todo[0])
            todo.remove(ready)
            found.append(ready)
        return found

    def _put(self, id: str, members: list[str], start: tuple[float, float]) -> None:
        w, _ = self.size[id]
        sources = [self.nodes[each] for each in self.before.get(id, ()) if each in self.known]
        targets = [self.nodes[each] for each in self.after.get(id, ()) if each in self.known]
        others = [each for each in members if each in self.known]
        if sources:
            x = max(node.x + self.size[node.id][0] for node in sources) + ACROSS
            y = sum(node.y for node in sources) / len(sources)
        elif targets:
            x, y = min(node.x for node in targets) - w - ACROSS, targets[0].y
        else:
            x = start[0]
            y = max((self.nodes[each].y + self.size[each][1] + DOWN for each in others), default=start[1])
        if targets:
            self._make_room(id, x + w + ACROSS - min(node.x for node in targets), members)
        self._set(id, round(max(x, -1e6)), round(y))
        for _ in range(MOST_SLIDES):
            hit = next((each for each in others if self._overlap(id, each)), None)
            if hit is None:
                return
            self._set(id, self.nodes[id].x, round(self.nodes[hit].y + self.size[hit][1] + DOWN))

    def _make_room(self, id: str, by: float, members: list[str]) -> None:
        """What comes after a step moves to the right by so many pixels."""
        if by <= 0:
            return
        seen, stack = {id}, list(self.after.get(id, ()))
        while stack:
            each = stack.pop()
            if each in seen or each not in members:
                continue
            seen.add(each)
            stack += self.after.get(each, ())
            if each in self.known:
                self._set(each, self.nodes[each].x + round(by), self.nodes[each].y)

    def _overlap(self, a: str, b: str) -> bool:
        first, second = self.nodes[a], self.nodes[b]
        (w, h), (v, g) = self.size[a], self.size[b]
        return (
            first.x < second.x + v
            and second.x < first.x + w
            and first.y < second.y + g + DOWN / 2
            and second.y < first.y + h + DOWN / 2
        )

    def _grow(self, id: str) -> None:
        """A container is at least as large as what lies in it."""
        inner = [node for node in self.nodes.values() if node.parent == id]
        node = self.nodes[id]
        w, h = self.size[id]
        right = max(each.x + self.size[each.id][0] for each in inner) + MARGIN + 96
        low = max(each.y + self.size[each.id][1] for each in inner) + MARGIN
        if id not in self.known or right > w or low > h:
            self.size[id] = max(w, right), max(h, low)
            self.nodes[id] = msgspec.structs.replace(node, w=self.size[id][0], h=self.size[id][1])

    def _set(self, id: str, x: float, y: float) -> None:
        self.nodes[id] = msgspec.structs.replace(self.nodes[id], x=float(x), y=float(y))


def place(flow: Flow, known: set[str]) -> Flow:
    """The flow with every step that is not in `known` given a place."""
    return Placer(flow, set(known)).placed()


def moved(before: NodeUse, after: NodeUse) -> bool:
    return (before.x, before.y, before.w, before.h) != (after.x, after.y, after.w, after.h)
