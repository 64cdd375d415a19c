"""The flow of a run as a picture: boxes where the author put them, wires between, states on them. Pure.

It is drawn from the version's document alone, so any version that ever ran can be shown, also one with steps whose
component is not installed any more. templates/runs/_graph.html makes the SVG.
"""

from msgspec import Struct
from msgspec.structs import asdict

from app.runs.shapes import RunView, StepView
from app.runs.timeline import WORST
from app.runs.why import carried
from app.web import flow_picture
from app.web.flow_picture import extent, inside, path, place
from app.web.words import duration
from flows import catalogue
from flows.model import Flow


class Box(flow_picture.Box, frozen=True):
    """`key`: what a click shows, "" when it was not reached."""

    key: str
    status: str
    note: str


class Line(Struct, frozen=True):
    """One wire as SVG path data. `lit`: it carried a value."""

    path: str
    lit: bool


class Graph(flow_picture.Drawing, frozen=True):
    boxes: list[Box]
    lines: list[Line]


def graph(run: RunView, flow: Flow) -> Graph:
    """Notes are left out. Steps of other flows that this one runs are not in its document: they are in the timeline."""
    kinds = catalogue.load()
    uses = {use.id: use for use in flow.nodes if not use.type.startswith("note.")}
    steps: dict[str, list[StepView]] = {}
    for step in run.steps:
        steps.setdefault(step.node, []).append(step)
    places = {id: place(use, uses) for id, use in uses.items()}
    boxes = []
    for box in flow_picture.boxes(uses, places, kinds):
        status, key, note = _state(steps.get(box.node, []), run)
        facts = asdict(box) | {"words": f"{box.words}: {status.replace('_', ' ') or 'not reached'}"}
        boxes.append(Box(**facts, key=key, status=status, note=note))
    boxes.sort(key=lambda box: not box.container)  # a container lies under what is in it
    by_id = {box.node: box for box in boxes}
    return Graph(*extent(boxes), boxes, _lines(flow, by_id, steps))


def _state(steps: list[StepView], run: RunView) -> tuple[str, str, str]:
    """(status, key, the small line) of a box, over all rounds of its step."""
    if not steps:
        return "", "", "Not reached" if not run.live else ""
    states = {step.status for step in steps}
    status = next((each for each in WORST if each in states), steps[0].status)
    shown = next(step for step in steps if step.status == status)
    if len(steps) > 1:
        done = sum(step.status == "succeeded" for step in steps)
        return status, shown.key, f"{done} of {len(steps)} rounds"
    took = duration(shown.ms) if status not in ("skipped", "queued") else ""
    return status, shown.key, "from the other run" if shown.taken_over else "kept result" if shown.kept else took


def _lines(flow: Flow, boxes: dict[str, Box], steps: dict[str, list[StepView]]) -> list[Line]:
    lines = []
    for edge in flow.edges:
        (source, _, out), (target, _, _) = edge.source.rpartition("."), edge.target.rpartition(".")
        a, b = boxes.get(source), boxes.get(target)
        if a is None or b is None:
            continue
        ran = any(carried(step.output, out)[0] for step in steps.get(source, ()))
        inner = a.container and inside(b, a) and bool(steps.get(target))
        lines.append(Line(path(a, b), ran or inner))
    return lines
