import json
from pathlib import Path

import msgspec
import pytest

from flows import document
from flows.catalogue import load
from flows.compile import check, compile
from flows.document import BadDocument, content_hash, dump_flow, flow_schema, load_flow
from flows.model import FORMAT, Edge, Flow, NodeUse
from flows.plan import Plan

PACKAGES = Path(__file__).resolve().parents[2] / "marketplace" / "packages" / "flows"
FLOW = {
    "format": 1,
    "name": "N",
    "nodes": [
        {"id": "a", "type": "say", "settings": {"x": [1, {"y": None}]}, "x": 1.5, "y": 2},
        {"id": "b", "type": "say"},
    ],
    "edges": [{"from": "a.text", "to": "b.value"}],
}


def test_a_document_read_and_written_again_is_the_same():
    flow = load_flow(json.dumps(FLOW))
    assert load_flow(dump_flow(flow)) == flow and flow.edges == [Edge("a.text", "b.value")]
    shuffled = load_flow(json.dumps(FLOW, sort_keys=True))
    assert content_hash(flow) == content_hash(shuffled) != content_hash(Flow([NodeUse("a", "say")]))


@pytest.mark.parametrize(
    ("content", "says", "place"),
    [
        ("nope", "This is not JSON", ""),
        ("[1]", "is a JSON object with 'nodes' and 'edges'", ""),
        ('{"format": 99}', f"saved by a newer Agentbase: format 99, and this one reads up to {FORMAT}", "$.format"),
        ('{"format": "1"}', "has a number from 1", "$.format"),
        ('{"format": true}', "has a number from 1", "$.format"),
        (
            '{"nodes": [{"id": "ask", "type": "x", "x": "left"}]}',
            "at step 'ask' ($.nodes[0].x): expected `float`",
            "$.nodes[0].x",
        ),
        ('{"nodes": [{"id": "ask", "type": "x", "colour": 1}]}', "unknown field `colour`", "$.nodes[0]"),
        ('{"nodes": [{"id": "ask"}]}', "missing required field `type`", "$.nodes[0]"),
        ('{"edges": [{"from": "a.b"}]}', "missing required field `to`", "$.edges[0]"),
        (b'{"name": "\xff"}', "This is not JSON", ""),
        ('{"nodes": [' + "[" * 300 + "]" * 300 + "]}", "more than 40 deep", ""),
        ("[" * 200_000, "This is not JSON", ""),
    ],
)
def test_what_is_no_flow_document_says_where_and_why(content, says, place):
    with pytest.raises(BadDocument) as refused:
        load_flow(content)
    assert says in str(refused.value) and refused.value.place == place


def test_documents_have_limits(monkeypatch):
    monkeypatch.setattr(document, "MOST_NODES", 1)
    with pytest.raises(BadDocument, match=r"2 steps; at most 1 are allowed\. Split it into sub-flows"):
        load_flow(json.dumps(FLOW))
    monkeypatch.setattr(document, "MOST_BYTES", 10)
    with pytest.raises(BadDocument, match="MB are read"):
        load_flow(json.dumps(FLOW))


def test_the_schema_describes_what_is_read():
    schema = flow_schema()
    assert set(schema["$defs"]) == {"Flow", "NodeUse", "Edge", "Retry", "Exposed"}
    assert set(schema["$defs"]["Edge"]["required"]) == {"from", "to"}
    msgspec.json.encode(schema)


@pytest.mark.parametrize("path", sorted(PACKAGES.glob("*/flow.json")), ids=lambda path: path.parent.name)
def test_a_starter_flow_compiles_without_any_problem(path):
    flow = load_flow(path.read_bytes())
    assert check(flow, load()) == [] and isinstance(compile(flow, load()), Plan)
