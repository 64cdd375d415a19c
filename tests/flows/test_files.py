"""Flow files: whatever a flow holds, the file brings it back, and writing it again gives the same bytes."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.document import BadDocument, load_flow
from flows.files import FORMS, read_flow, write_flow
from flows.model import Edge, Flow, NodeUse, Retry

PACKAGES = sorted((Path(__file__).resolve().parents[2] / "marketplace" / "packages" / "flows").rglob("flow.json"))
FORM = pytest.mark.parametrize("form", sorted(set(FORMS.values())))

HARD = """yes|no|on|null|~|1_000|0x1f|1e3|12:30|2026-01-01|=|<<|- a|a: b|#|*x|{{ name }}| |trailing |\ttab""".split("|")
LINES = ["two\nlines\n", "  indented\n  text", "trailing \nspace", "a\r\nb", "\x85\u2028", "\n", "\n a"]
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40) | st.sampled_from(HARD + LINES)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
places = st.floats(-1e9, 1e9) | st.integers(-5000, 5000).map(float)
nodes = st.builds(
    NodeUse,
    id=st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
    type=st.sampled_from(["start.chat", "ai.chat", "acme.weather"]),
    label=texts,
    settings=st.dictionaries(texts, json_values, max_size=3),
    x=places,
    y=places,
    w=st.none() | places,
    disabled=st.booleans(),
    retry=st.builds(Retry, tries=st.integers(1, 9), delay=st.floats(0, 60)),
    on_error=st.sampled_from(["stop", "wire"]),
    timeout=st.none() | st.floats(0.1, 600),
)
flows = st.builds(
    Flow,
    nodes=st.lists(nodes, max_size=3),
    edges=st.lists(st.builds(Edge, source=st.just("a.text"), target=st.just("b.text")), max_size=2),
    name=texts,
    description=texts,
)


@FORM
@settings(deadline=None)
@given(flow=flows)
def test_a_file_read_is_the_flow_again_and_written_again_the_same_bytes(form, flow):
    text = write_flow(flow, form)
    again = read_flow(text.encode(), form)
    assert again == flow
    assert write_flow(again, form) == text


@settings(deadline=None)
@given(flow=flows)
def test_a_database_that_forgets_the_order_of_keys_changes_no_byte(flow):
    def turned_round(value):
        if isinstance(value, dict):
            return {key: turned_round(value[key]) for key in reversed(value)}
        return [turned_round(item) for item in value] if isinstance(value, list) else value

    stored = msgspec.convert(turned_round(json.loads(msgspec.json.encode(flow))), Flow)
    assert [write_flow(stored, form) for form in ("json", "yaml")] == [
        write_flow(flow, form) for form in ("json", "yaml")
    ]


@FORM
@pytest.mark.parametrize("file", PACKAGES, ids=lambda file: file.parent.name)
def test_the_flows_that_come_along_survive(file, form):
    flow = load_flow(file.read_bytes())
    assert read_flow(write_flow(flow, form).encode(), form) == flow


def test_the_file_says_first_what_it_is_and_writes_long_texts_as_lines():
    flow = Flow([NodeUse("think", "ai.chat", settings={"z": 1, "instructions": "Be short.\nBe kind."}, x=48)], name="N")
    assert write_flow(flow, "yaml") == (
        "format: 1\nname: N\ndescription: ''\nnodes:\n  - id: think\n    type: ai.chat\n    settings:\n"
        "      instructions: |-\n        Be short.\n        Be kind.\n      z: 1\n    x: 48\nedges: []\n"
    )
    assert write_flow(flow).startswith('{\n  "format": 1,\n  "name": "N",\n')


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: &x [1]\nb: *x", r"aliases \(\*x\) are not read, line 2"),
        (b"nodes: !!python/object/apply:os.system [ls]", "python/object/apply:os.system is not read, line 1"),
        (b"nodes: !!binary aGVsbG8=", "binary is not read"),
        (b"name: a\nname: b", "the key 'name' stands there twice, line 2"),
        (b"1: 2", "the key 1 is no text"),
        (b"nodes: [{id: a, type: b, settings: {most: .inf}}]", "numbers that JSON can't"),
        (b"\xff", "can't be read as YAML"),
        (b"[1, 2", "can't be read as YAML"),
        (b"[" * 100_000, "can't be read as YAML"),
        (b"- 1", "is a mapping with 'nodes' and 'edges'"),
        (b"", "is a mapping with 'nodes' and 'edges'"),
        (b"nodes: 3", r"\$\.nodes"),
    ],
)
def test_yaml_that_is_no_flow_is_refused_with_the_reason(content, says):
    with pytest.raises(BadDocument, match=says):
        read_flow(content, "yaml")


def test_a_date_in_yaml_stays_the_text_that_somebody_wrote():
    flow = read_flow(b"nodes: [{id: a, type: b, settings: {since: 2026-01-01, merge: <<}}]", "yaml")
    assert flow.nodes[0].settings == {"since": "2026-01-01", "merge": "<<"}
