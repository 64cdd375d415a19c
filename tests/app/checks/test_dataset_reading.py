"""Datasets out of files, also strange and hostile ones."""

import pytest

from app.checks import dataset_reading
from app.checks.dataset_reading import Row, read
from app.errors import Refused


@pytest.mark.parametrize(
    ("content", "form", "rows"),
    [
        ("message,expected\nHi,Hello\nBye,\n", "csv", [Row({"message": "Hi"}, "Hello"), Row({"message": "Bye"})]),
        ('\ufeffa;b\r\n1;"x;\ny"\r\n\r\n', "csv", [Row({"a": "1", "b": "x;\ny"})]),
        ("a\tb\n1\t2", "csv", [Row({"a": "1", "b": "2"})]),
        ('{"input": {"message": "Hi"}, "expected": ["a"]}\n\n', "jsonl", [Row({"message": "Hi"}, ["a"])]),
        (
            '{"message": "Hi", "expected": 3}\n{"input": 1, "x": 2}',
            "jsonl",
            [Row({"message": "Hi"}, 3), Row({"input": 1, "x": 2})],
        ),
        ('=cmd|calc,expected\n"=1+1",x', "csv", [Row({"=cmd|calc": "=1+1"}, "x")]),
    ],
)
def test_what_a_file_holds(content, form, rows):
    assert read(content, form) == rows


@pytest.mark.parametrize(
    ("content", "form", "why"),
    [
        ("", "csv", "names each column once"),
        ("a,a\n1,2", "csv", "names each column once"),
        ("a,b\n1", "csv", "Line 2 has 1 values"),
        ('a\n"x', "csv", "can't be read as CSV"),
        ("a\n", "csv", "1 to 1,000 rows"),
        ("[1]", "jsonl", "Line 1 is no object"),
        ("{", "jsonl", "Line 1 is no JSON"),
        ("[" * 100_000, "jsonl", "Line 1 is no JSON"),
        ("a\n" + "1\n" * 1_001, "csv", "1 to 1,000 rows"),
        ("a\n" + "x" * 110_000, "csv", "Row 1 is larger"),
        ("a\n" + "x" * 6_000_000, "csv", "larger than 5 MB"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(content, form, why):
    with pytest.raises(Refused, match=why):
        read(content, form)


def test_the_limits_are_told():
    assert dataset_reading.MOST_ROWS == 1_000
