"""Which values may leave the code as a result: what a flow can carry, and nothing alive."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flows.host.frames import Bounds

LARGEST, SMALLEST = 2**63 - 1, -(2**63)


class NotCarried(Exception):
    """The sentence names the place inside the result and what stands there."""


def carried(value: Any, bounds: Bounds) -> Any:
    """The same as plain JSON values: tuples and sets become lists, dates ISO text, exact decimals text.

    Raises NotCarried for anything else, for numbers JSON has no room for, and for more than `bounds` allows.
    """
    left = [bounds.result]
    return _carried(value, "", bounds.depth, left)


def _carried(value: Any, place: str, depth: int, left: list[int]) -> Any:
    kind = value.__class__
    if kind in LEAVES:
        return LEAVES[kind](value, place, left)
    if depth == 0:
        raise NotCarried(f"{_at(place[:80])} is nested too deep")
    _count(left, 2)
    if isinstance(value, list | tuple | set | frozenset):
        return [_carried(item, f"{place}[{i}]", depth - 1, left) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            _key(name, place, left): _carried(item, f"{place}[{name!r}]", depth - 1, left)
            for name, item in value.items()
        }
    if getattr(value, "is_dataclass", False) and isinstance(getattr(value, "attributes", None), dict):
        return _carried(value.attributes, place, depth - 1, left)
    raise NotCarried(f"{_at(place)} is {_named(value)}, which a flow can't carry")


def _text(value: str, place: str, left: list[int]) -> str:
    _count(left, len(value))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCarried(f"{_at(place)} holds half a character (a lone surrogate)") from None
    return value


def _small(value: Any, place: str, left: list[int]) -> Any:
    _count(left, 4)
    return value


def _whole(value: int, place: str, left: list[int]) -> int:
    if not SMALLEST <= value <= LARGEST:
        raise NotCarried(f"{_at(place)} is a number of more than 64 bits; hand it on as text: str(…)")
    return int(_small(value, place, left))


def _broken(value: float, place: str, left: list[int]) -> float:
    if not math.isfinite(value):
        raise NotCarried(f"{_at(place)} is {value}, which is no number a flow can carry; hand on None or a text")
    return float(_small(value, place, left))


LEAVES: dict[type, Callable[[Any, str, list[int]], Any]] = {
    str: _text,
    type(None): _small,
    bool: _small,
    int: _whole,
    float: _broken,
    Decimal: lambda value, place, left: _text(str(value), place, left),
    datetime.datetime: lambda value, place, left: _text(value.isoformat(), place, left),
    datetime.date: lambda value, place, left: _text(value.isoformat(), place, left),
    datetime.time: lambda value, place, left: _text(value.isoformat(), place, left),
    datetime.timedelta: lambda value, place, left: _broken(value.total_seconds(), place, left),
}


def _key(name: Any, place: str, left: list[int]) -> str:
    if not isinstance(name, str | int | float):
        raise NotCarried(f"{_at(place)} has {_named(name)} as a name of a field; names are texts")
    return _text(str(name), place, left)


def _count(left: list[int], size: int) -> None:
    left[0] -= size
    if left[0] < 0:
        raise NotCarried("the result is larger than a step may hand on; make it smaller")


def _at(place: str) -> str:
    return f"result{place[:120]}" if place else "the result"


def _named(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return "bytes (turn them into text first, such as by base64)"
    name = getattr(value, "name", "")
    return f"a {type(value).__name__ if not isinstance(name, str) or not name else name}"
