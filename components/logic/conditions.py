"""Conditions as rows a person can build without writing code: a value, a comparison, another value."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flows.sdk import Expression, File, Message, NodeError, Template, lines

Op = Literal[
    "is",
    "is not",
    "contains",
    "does not contain",
    "starts with",
    "ends with",
    "is greater than",
    "is less than",
    "is at least",
    "is at most",
    "is empty",
    "is not empty",
]


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    value: Annotated[
        Expression, Meta(title="Value", description="Such as order.total; empty = what comes in."), lines(1)
    ] = ""
    op: Annotated[Op, Meta(title="Comparison")] = "is"
    other: Annotated[Template, Meta(title="Compared with"), lines(1)] = ""


def holds(row: Row, coming_in: Any, field: str) -> bool:
    """Whether a row is true. `row.value` None means: the value that came in.

    Text is compared without regard to case and to blanks at its ends. Against a number, `other` is read as a number;
    against yes/no, as yes or no. Raises NodeError(field) when that is not possible.
    """
    value = row.value if row.value is not None else coming_in
    if isinstance(value, Message):
        value = value.text
    elif isinstance(value, File):
        value = value.name
    match row.op:
        case "is empty":
            return _empty(value)
        case "is not empty":
            return not _empty(value)
        case "is":
            return _same(value, row.other)
        case "is not":
            return not _same(value, row.other)
        case "contains":
            return _contains(value, row.other)
        case "does not contain":
            return not _contains(value, row.other)
        case "starts with":
            return _text(value).startswith(_text(row.other))
        case "ends with":
            return _text(value).endswith(_text(row.other))
    return ORDER[row.op](*_numbers(value, row, field))


ORDER: dict[str, Callable[[float, float], bool]] = {
    "is greater than": lambda a, b: a > b,
    "is less than": lambda a, b: a < b,
    "is at least": lambda a, b: a >= b,
    "is at most": lambda a, b: a <= b,
}


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict | tuple) and len(value) == 0) or _text(value) == ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip().casefold()


def _same(value: Any, other: str) -> bool:
    if isinstance(value, bool):
        return _text(other) in (("yes", "true") if value else ("no", "false"))
    if isinstance(value, int | float):
        try:
            return float(value) == float(other)
        except ValueError:
            return False
    return _text(value) == _text(other)


def _contains(value: Any, other: str) -> bool:
    if isinstance(value, list | tuple):
        return any(_same(item, other) for item in value)
    if isinstance(value, dict):
        return other.strip() in value
    return _text(other) in _text(value)


def _numbers(value: Any, row: Row, field: str) -> tuple[float, float]:
    try:
        return float(value), float(row.other)
    except (TypeError, ValueError):
        wrong = row.other if _is_number(value) else value
        raise NodeError(
            f"'{row.op}' compares numbers, but '{wrong}' is none. Correct the value.", field=field
        ) from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
