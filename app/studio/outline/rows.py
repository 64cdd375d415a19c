"""The lines of the outline: the steps in the order they run, each with where its values come from. Pure."""

from msgspec import Struct

from app.studio.ops import node_of, port_of
from app.studio.queries import views
from app.studio.shapes import NodeView
from flows.model import Flow
from flows.problems import Problem


class Source(Struct, frozen=True):
    """Where a step gets a value from: "Find the order, items"."""

    type: str
    words: str


class Row(Struct, frozen=True):
    """One line of the outline. `depth`: how many containers it lies in."""

    id: str
    title: str
    kind: str
    family: str
    icon: str
    summary: str
    depth: int
    sources: tuple[Source, ...]
    problem: str
    starts: bool


def outline(flow: Flow, problems: list[Problem]) -> list[Row]:
    """The steps in the order they run; what lies in a container comes right after it. Notes are left out."""
    shown = {view.id: view for view in views(flow, problems) if not view.note}
    inputs: dict[str, list[tuple[str, str]]] = {}
    for edge in flow.edges:
        inputs.setdefault(node_of(edge.target), []).append((node_of(edge.source), port_of(edge.source)))
    rows: list[Row] = []

    def level(parent: str, depth: int) -> None:
        members = [view for view in shown.values() if view.parent == parent]
        waiting = {view.id: {a for a, _ in inputs.get(view.id, ()) if a in shown} - {parent} for view in members}
        ids = set(waiting)
        done: set[str] = set()
        todo = sorted(members, key=lambda view: (view.y, view.x))
        while todo:
            ready = next((v for v in todo if not (waiting[v.id] & ids) - done), todo[0])
            todo.remove(ready)
            done.add(ready.id)
            rows.append(_row(ready, depth, inputs.get(ready.id, []), shown))
            if ready.container:
                level(ready.id, depth + 1)

    level("", 0)
    return rows


def _row(view: NodeView, depth: int, inputs: list[tuple[str, str]], shown: dict[str, NodeView]) -> Row:
    sources = []
    for id, name in inputs:
        source = shown.get(id)
        if source is None:
            continue
        port = next((p for p in (*source.left, *source.right) if p.side == "out" and p.name == name), None)
        sources.append(Source(port.type if port else "any", f"{source.title}, {port.label if port else name}"))
    return Row(
        view.id,
        view.title,
        view.kind,
        view.family,
        view.icon,
        view.summary,
        depth,
        tuple(sources),
        view.problem,
        not inputs and view.family == "start",
    )
