"""The rules of docs/flow-semantics.md as plainly as they can be written: one node after the other, no engine.

Slow, synchronous, no containers. Compared with the engine on random graphs by test_properties.py.
"""

from typing import Any, Literal

from msgspec import Struct

from flows.model import Flow, NodeUse

SILENT = "(silent)"
NEEDS_X = "t.needs"
"""The test node type whose input `x` is required."""
Status = Literal["succeeded", "failed", "skipped"]


class Expected(Struct):
    status: dict[str, Status]
    outputs: dict[str, dict[str, str]]
    stops: bool


def outputs_of(id: str, settings: dict[str, Any], x: str, y: str, m: list[str]) -> dict[str, str]:
    """What the test node gives: `text` always, and either `yes` or `no`."""
    text = f"{id}({x},{y},{'+'.join(m)})"
    return {"text": text, "yes" if settings.get("way", True) else "no": text}


def interpret(flow: Flow) -> Expected:
    found = Expected({}, {}, False)
    for node in in_order(flow):
        wires: dict[str, list[str]] = {}
        for edge in flow.edges:
            target, _, port = edge.target.partition(".")
            source, _, out = edge.source.partition(".")
            if target == node.id:
                wires.setdefault(port, []).append(found.outputs[source].get(out, SILENT))
        if node.disabled or must_skip(node, wires):
            found.status[node.id], found.outputs[node.id] = "skipped", {}
            continue
        came = {port: [v for v in values if v != SILENT] for port, values in wires.items()}
        if node.settings.get("fails"):
            found.status[node.id] = "failed"
            found.stops = found.stops or node.on_error == "stop"
            found.outputs[node.id] = instead(node)
        else:
            x, y = (came.get(port) or ["-"] for port in ("x", "y"))
            found.status[node.id] = "succeeded"
            found.outputs[node.id] = outputs_of(node.id, node.settings, x[0], y[0], came.get("m", []))
    return found


def must_skip(node: NodeUse, wires: dict[str, list[str]]) -> bool:
    """Nothing arrived although something is wired, or a required port got nothing."""
    silent = {port: all(value == SILENT for value in values) for port, values in wires.items()}
    required = {"after", "x"} if node.type == NEEDS_X else {"after"}
    return bool(silent) and (all(silent.values()) or any(silent[port] for port in silent if port in required))


def instead(node: NodeUse) -> dict[str, str]:
    if node.on_error == "default":
        return {"text": "default"}
    return {"error": "(error)"} if node.on_error == "wire" else {}


def in_order(flow: Flow) -> list[NodeUse]:
    done: list[NodeUse] = []
    left = list(flow.nodes)
    while left:
        ids = {node.id for node in left}
        ready = [
            n
            for n in left
            if not any(e.source.split(".")[0] in ids for e in flow.edges if e.target.split(".")[0] == n.id)
        ]
        done += ready
        left = [n for n in left if n not in ready]
    return done
