"""Flow documents as bytes: read with limits and with errors that name the place, written in a stable form."""

from hashlib import sha256
from typing import Any

import msgspec

from flows.model import FORMAT, Flow
from flows.upgrade import UnknownFormat, upgrade

MOST_BYTES = 8 * 1024 * 1024
MOST_NODES = 5_000
MOST_EDGES = 20_000
MOST_DEPTH = 40
"""Levels of lists and objects inside each other. Containers inside containers are limited by compile."""


class BadDocument(ValueError):
    """Not a flow document. The text says where and what to do; `place` is a path such as `$.nodes[3].type`."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


_encoder = msgspec.json.Encoder(order="deterministic")


def load_flow(content: bytes | str | dict[str, Any]) -> Flow:
    """Read a document of any released format. Nothing in it is run or looked up. Raises BadDocument."""
    document = content if isinstance(content, dict) else _parse(content)
    if _depth(document) > MOST_DEPTH:
        raise BadDocument(f"This document nests lists and objects more than {MOST_DEPTH} deep.")
    try:
        flow = msgspec.convert(upgrade(document), Flow)
    except UnknownFormat as error:
        raise BadDocument(str(error), "$.format") from None
    except msgspec.ValidationError as error:
        raise _misfit(str(error), document) from None
    steps, wires = len(flow.nodes), len(flow.edges)
    if steps > MOST_NODES:
        raise BadDocument(f"This flow has {steps} steps; at most {MOST_NODES} are allowed. Split it into sub-flows.")
    if wires > MOST_EDGES:
        raise BadDocument(f"This flow has {wires} wires; at most {MOST_EDGES} are allowed. Split it into sub-flows.")
    return flow


def dump_flow(flow: Flow) -> bytes:
    """JSON with sorted keys, of the newest format: equal flows give equal bytes."""
    return _encoder.encode(flow if flow.format == FORMAT else msgspec.structs.replace(flow, format=FORMAT))


def content_hash(flow: Flow) -> str:
    """64 hex characters; equal exactly when the documents are equal."""
    return sha256(dump_flow(flow)).hexdigest()


def flow_schema() -> dict[str, Any]:
    """JSON Schema of the flow document."""
    schema = msgspec.json.schema(Flow)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Agentbase flow", **schema}


def _parse(content: bytes | str) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1_048_576:.1f} MB"
        raise BadDocument(f"This document is {size} large; at most {MOST_BYTES // 1_048_576} MB are read.")
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadDocument(f"This is not JSON: {error}. Export the flow again.") from None
    if not isinstance(document, dict):
        raise BadDocument("A flow document is a JSON object with 'nodes' and 'edges'; this is something else.")
    return document


def _depth(value: Any) -> int:
    """Levels of nesting, counted without recursion and only as far as the limit."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        depth += 1
    return depth


def _misfit(error: str, document: dict[str, Any]) -> BadDocument:
    reason, _, place = error.partition(" - at `")
    place = place.rstrip("`") or "$"
    where = _spoken(place, document)
    return BadDocument(f"The flow document does not fit{where} ({place}): {reason[:1].lower()}{reason[1:]}.", place)


def _spoken(place: str, document: dict[str, Any]) -> str:
    """`$.nodes[3].x` -> " at step 'ask'", when that step has an id."""
    if place.startswith("$.nodes["):
        index = place[8:].partition("]")[0]
        nodes = document.get("nodes")
        if index.isdigit() and isinstance(nodes, list) and isinstance(nodes[int(index)], dict):
            return f" at step '{nodes[int(index)].get('id', index)}'"
    return ""
