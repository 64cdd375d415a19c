"""A schema is a list of fields and JSON at once: read and written again it means the same, and loses nothing."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.studio.schemas import Property, Shape, infer, read, write

ORDER = {
    "type": "object",
    "properties": {
        "number": {"type": "string", "pattern": "^FH-", "description": "As printed."},
        "total": {"type": "number", "minimum": 0},
        "count": {"type": "integer"},
        "paid": {"type": "boolean"},
        "state": {"type": "string", "enum": ["open", "sent"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "more": {}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
        "free": {"type": "object"},
    },
    "required": ["number", "lines"],
    "additionalProperties": False,
    "title": "Order",
}


def test_fields_nested_lists_choices_and_unknown_keywords_survive_the_way_there_and_back():
    shape = read(ORDER)
    assert shape is not None and write(shape) == ORDER
    fields = {each.name: each for each in shape.fields}
    assert (fields["number"].kept, fields["number"].description) == ({"pattern": "^FH-"}, "As printed.")
    assert (fields["tags"].many, fields["tags"].kept) == (True, {"maxItems": 5, "items": {"maxLength": 20}})
    assert [(each.name, each.required) for each in fields["lines"].inner] == [("name", True), ("more", False)]
    assert fields["state"].options == ("open", "sent")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {}}, {"$ref": "#/x"}, {"anyOf": []}, [], "text", 3,
        {"type": "object", "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"enum": [1, 2]}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "array"}}}},
        {"type": "object", "properties": {str(i): {"type": "string"} for i in range(201)}},
    ],
)  # fmt: skip
def test_what_the_list_cannot_say_stays_source(schema):
    assert read(schema) is None


def test_nothing_is_no_field_and_deep_nesting_ends():
    assert read({}) == read(None) == Shape() and write(Shape()) == {}
    deep = {"type": "object"}
    for _ in range(50):
        deep = {"type": "object", "properties": {"a": deep}}
    assert read(deep) is None


def test_a_sample_gives_its_fields_and_what_some_rows_lack_is_optional():
    made = infer([{"a": 1, "b": "x", "c": [{"d": True}], "e": None}, {"a": 1.5, "c": [], "b": "y"}])
    shape = read(made)
    assert shape is not None
    found = {each.name: (each.kind, each.many, each.required) for each in shape.fields}
    assert found == {
        "a": ("number", False, True), "b": ("text", False, True), "c": ("object", True, True),
        "e": ("any", False, False),
    }  # fmt: skip
    assert [each.kind for each in {f.name: f for f in shape.fields}["c"].inner] == ["yesno"]
    for wrong in ("text", 3, [], [1], None):
        with pytest.raises(ValueError, match="A sample is an object"):
            infer(wrong)


NAME = st.text("abcdefgh", min_size=1, max_size=5)
SAMPLE = st.dictionaries(
    NAME,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
        max_leaves=12,
    ),
    max_size=5,
)


@given(SAMPLE)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_sample_gives_a_schema_that_reads_back(sample):
    made = infer(sample)
    shape = read(made)
    assert shape is not None and write(shape) == made
    assert msgspec.json.decode(msgspec.json.encode(made)) == made


def test_a_field_without_a_name_is_left_out():
    assert write(Shape((Property(""), Property("a"))))["properties"] == {"a": {"type": "string"}}
