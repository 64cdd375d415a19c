"""What counts as right, and how the difference is said."""

import pytest

from app.checks.judging import judge
from app.checks.shapes import Expectation
from app.web.worddiff import pieces

ORDER = {"text": "", "data": {"id": 7, "items": [{"name": "tulips", "n": 3}], "paid": True}}


@pytest.mark.parametrize(
    ("kind", "path", "value", "output", "passed"),
    [
        ("exact", "", "Hello", {"text": "Hello", "data": None}, True),
        ("exact", "", "Hello", {"text": "Hallo"}, False),
        ("exact", "data.items[0]", '{"n": 3, "name": "tulips"}', ORDER, True),
        ("exact", "data.id", "8", ORDER, False),
        ("exact", "data.id", "seven", ORDER, False),
        ("contains", "", "lips", ORDER, True),
        ("contains", "", "roses", ORDER, False),
        ("contains", "output", "b", ["a", "b"], True),
        ("json", "data", '{"items": [{"name": "tulips"}]}', ORDER, True),
        ("json", "data", '{"items": []}', ORDER, False),
        ("json", "data", '{"paid": 1}', ORDER, False),
        ("json", "data", '{"who": "Mara"}', ORDER, False),
        ("json", "data", "{", ORDER, False),
        ("schema", "data", '{"type": "object", "required": ["id"]}', ORDER, True),
        ("schema", "data", '{"properties": {"id": {"type": "string"}}}', ORDER, False),
        ("schema", "data", '{"type": "nothing"}', ORDER, False),
        ("cel", "", "data.items.size() == 1 && data.paid", ORDER, True),
        ("cel", "", "data.id > 7", ORDER, False),
        ("cel", "", "data.id", ORDER, False),
        ("cel", "", "input.message == output.data.id", ORDER, False),
        ("exact", "data.nothing", "1", ORDER, False),
    ],
)
def test_an_expectation_holds_or_says_why_not(kind, path, value, output, passed):
    [verdict] = judge([Expectation(kind, value, path)], output, {"message": "Hi"})
    assert verdict.passed is passed
    assert verdict.said


def test_what_is_missing_is_named_by_its_place():
    [verdict] = judge([Expectation("json", '{"items": [{"n": 4}]}', "data")], ORDER)
    assert verdict.said == "items[0].n is 3, not 4."


def test_a_schema_may_not_make_the_server_fetch_an_address():
    [verdict] = judge([Expectation("schema", '{"$ref": "http://127.0.0.1:9/schema.json"}')], ORDER)
    assert not verdict.passed and "no usable JSON Schema" in verdict.said


def test_texts_differ_by_words():
    found = pieces("The red tulips are here", "The white tulips are here")
    assert [(piece.kind, piece.text) for piece in found] == [
        ("same", "The "), ("gone", "red"), ("new", "white"), ("same", " tulips are here"),
    ]  # fmt: skip


def test_long_texts_are_compared_by_lines():
    before = "a word and another\n" * 2_000
    found = pieces(before, before + "one more\n")
    assert [piece.kind for piece in found] == ["same", "new"] and found[-1].text == "one more\n"
