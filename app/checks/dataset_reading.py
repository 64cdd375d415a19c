"""A dataset out of a file: CSV or JSON lines. Pure.

CSV: the first line names the columns; `expected` is what should come out, every other column is a field of the input.
JSON lines: each line is {"input": …, "expected": …}, or an object whose fields are the input, and maybe `expected`.
"""

import csv
import io
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.errors import Refused

Form = Literal["csv", "jsonl"]
MOST_ROWS = 1_000
MOST_BYTES = 5_000_000
MOST_ROW = 100_000
"""Bytes of one row as JSON."""
EXPECTED = "expected"


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One input, and what should come out of it (None = nothing is said)."""

    input: Any
    expected: Any = None


def read(content: str, form: Form) -> list[Row]:
    """Raises Refused with the line at fault."""
    if len(content.encode()) > MOST_BYTES:
        raise Refused(f"The file is larger than {MOST_BYTES // 1_000_000} MB.", remedy="Split it.", field="file")
    rows = _csv(content) if form == "csv" else _lines(content)
    if not rows:
        raise Refused("There is no row in this file.", field="file")
    return rows


def checked(rows: list[Row]) -> list[Row]:
    """Raises Refused when there are too many, or one is too large."""
    if not rows or len(rows) > MOST_ROWS:
        raise Refused(f"A dataset has 1 to {MOST_ROWS:,} rows; this one has {len(rows):,}.", field="file")
    for number, row in enumerate(rows, 1):
        if len(msgspec.json.encode(row)) > MOST_ROW:
            raise Refused(f"Row {number} is larger than {MOST_ROW // 1000} kB.", field="file")
    return rows


def _csv(content: str) -> list[Row]:
    text = content.lstrip("\ufeff").replace("\0", "")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        if not names or "" in names or len(set(names)) != len(names):
            raise Refused("The first line of a CSV file names each column once.", field="file")
        for values in reader:
            if not any(values):
                continue
            if len(values) != len(names):
                raise Refused(
                    f"Line {reader.line_num} has {len(values)} values, the first line names {len(names)}.", field="file"
                )
            fields = dict(zip(names, values, strict=True))
            expected = fields.pop(EXPECTED, "")
            rows.append(Row(fields, expected or None))
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:
        raise Refused(f"Line {reader.line_num} can't be read as CSV: {error}.", field="file") from None
    return checked(rows)


def _lines(content: str) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(content.lstrip("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refused(f"Line {number} is no JSON: {error}.", field="file") from None
        if not isinstance(value, dict):
            raise Refused(f"Line {number} is no object.", remedy='Like {"input": …, "expected": …}.', field="file")
        if "input" in value and value.keys() <= {"input", EXPECTED}:
            rows.append(Row(value["input"], value.get(EXPECTED)))
        else:
            rows.append(Row({key: each for key, each in value.items() if key != EXPECTED}, value.get(EXPECTED)))
        if len(rows) > MOST_ROWS:
            break
    return checked(rows)
