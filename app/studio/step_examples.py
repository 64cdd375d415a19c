"""A small flow that shows one kind of step at work, made from what the kind says. It can be opened as a copy."""

from typing import Any

from app.studio.ports import ports_of
from flows import catalogue
from flows.catalogue import AnyNode, Catalogue
from flows.model import Edge, Flow, NodeUse
from flows.sdk.ports import Port, fits

SETTINGS: dict[str, dict[str, Any]] = {
    "ai.chat": {"instructions": "Answer in one friendly sentence."},
    "ai.prompt": {"template": "Answer this in one sentence: {{ question }}"},
    "code.python": {"code": "result = value[::-1]"},
    "connect.http": {"url": "https://example.org/"},
    "data.filter": {"keep": "size(item) > 20"},
    "data.set": {"fields": [{"name": "asked", "value": "question.text"}]},
    "logic.if": {"expression": "size(value.text) > 40"},
    "logic.loop": {"condition": "index < 3"},
    "logic.switch": {
        "cases": [
            {"name": "order", "when": 'value.text.matches("(?i)order")'},
            {"name": "refund", "when": 'value.text.matches("(?i)refund")'},
        ]
    },
    "logic.wait": {"mode": "for", "amount": 5, "unit": "seconds"},
    "start.event": {"kinds": ["flow.published"]},
    "note.note": {"text": "Notes stand beside the steps. They are never run."},
}
"""Where the defaults alone would show little. Of other people's steps the defaults are taken."""

LIST = ("text.split", "chunks")
"""What makes a list of the visitor's words, for steps that want one."""


def example_of(kind: AnyNode, kinds: Catalogue | None = None) -> Flow | None:
    """Start, the step, an answer. None for what means nothing by itself: it needs another flow of the workspace."""
    kinds = kinds or catalogue.load()
    if kind.subflow or kind.trigger == "after":
        return None
    flow = Flow(name=f"Example: {kind.title}", nodes=[], edges=[])
    step = NodeUse("step", kind.name, kind.version, settings=SETTINGS.get(kind.name, {}), x=320, y=96)
    if kind.family == "note":
        flow.nodes.append(step)
    elif kind.trigger is not None:
        step.x = 0
        flow.nodes.append(step)
        _answered(flow, step, kinds)
    elif kind.ends in ("round", "rounds"):
        _in_rounds(flow, step, kinds)
    else:
        flow.nodes += [NodeUse("ask", "start.chat", y=96), step]
        _fed(flow, step, kinds)
        if kind.container:
            _filled(flow, step, kinds)
        if not kind.result and not kind.ends:
            _answered(flow, step, kinds)
    return flow


def _fed(flow: Flow, step: NodeUse, kinds: Catalogue) -> None:
    """Every input that must have something, else the first that may: from what the visitor wrote."""
    inputs = _ends(step, kinds)[0]
    wanted = [port for port in inputs if port.required] or [port for port in inputs if port.type != "object"][:1]
    for port in wanted:
        if port.type == "list" and not port.many:
            if all(node.id != "list" for node in flow.nodes):
                flow.nodes.append(NodeUse("list", LIST[0], settings={"size": 40, "overlap": 0}, x=280, y=96))
                flow.edges.append(Edge("ask.message", "list.text"))
                step.x = 560
            flow.edges.append(Edge(f"list.{LIST[1]}", f"step.{port.name}"))
        elif fits("message", port.type):
            flow.edges.append(Edge("ask.message", f"step.{port.name}"))


def _answered(flow: Flow, step: NodeUse, kinds: Catalogue) -> None:
    outputs = _ends(step, kinds)[1]
    if not outputs:
        return
    given = next((port for port in outputs if port.type in ("text", "message")), outputs[0])
    answer = NodeUse("answer", "show.answer", x=step.x + (640 if step.w else 320), y=96)
    flow.nodes.append(answer)
    flow.edges.append(Edge(f"step.{given.name}", "answer.text" if given.type in ("text", "message") else "answer.data"))


def _filled(flow: Flow, step: NodeUse, kinds: Catalogue) -> None:
    """A container does what stands in it: one prompt, fed by the first inner output, feeding the inner input."""
    ports = ports_of(step, kinds)
    if ports is None:
        return
    step.w, step.h = 480, 240
    inner = next((port for port in ports.outputs if port.inside), None)
    back = next((port for port in ports.inputs if port.inside), None)
    flow.nodes.append(NodeUse("line", "ai.prompt", settings={"template": "• {{ item }}"}, x=120, y=80, parent="step"))
    if inner is not None:
        flow.edges.append(Edge(f"step.{inner.name}", "line.item"))
    if back is not None:
        flow.edges.append(Edge("line.text", f"step.{back.name}"))


def _in_rounds(flow: Flow, step: NodeUse, kinds: Catalogue) -> None:
    """Inside a repetition, behind a condition: that is where such a step makes sense."""
    loop = NodeUse("loop", "logic.loop", settings=SETTINGS["logic.loop"], x=320, y=40, w=760, h=260)
    enough = NodeUse("enough", "logic.if", settings={"expression": "index > 1"}, x=60, y=80, parent="loop")
    step.parent, step.x, step.y = "loop", 420.0, 80.0
    flow.nodes += [NodeUse("ask", "start.chat", y=96), loop, enough, step]
    flow.edges += [
        Edge("ask.message", "loop.state"), Edge("loop.current", "enough.value"), Edge("loop.index", "enough.index"),
        Edge("enough.yes", f"step.{_ends(step, kinds)[0][0].name}"), Edge("enough.no", "loop.next"),
    ]  # fmt: skip
    flow.nodes.append(NodeUse("answer", "show.answer", x=1140, y=96))
    flow.edges.append(Edge("loop.state", "answer.data"))


def _ends(step: NodeUse, kinds: Catalogue) -> tuple[list[Port], list[Port]]:
    """Ports on its outer edge, as they are with its settings."""
    ports = ports_of(step, kinds)
    if ports is None:
        return [], []
    inputs = [port for port in ports.inputs if not port.inside and port.name != "after"]
    return inputs, [port for port in ports.outputs if not port.inside and port.name != "error"]
