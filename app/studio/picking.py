"""What a step got in the last run, as a tree whose every part can be put into a text by one click."""

from typing import Any

from msgspec import Struct, to_builtins

from app.studio.scope import Values, path, shortly, type_of
from flows.sdk.values import Message

MOST_LEAVES = 300
MOST_OF_A_LIST = 10
DEEPEST = 6


class Leaf(Struct, frozen=True):
    """`path`: how a text mentions it, "" where no path can be written. `left`: elements of a list not shown."""

    path: str
    label: str
    type: str
    text: str
    parts: tuple["Leaf", ...] = ()
    left: int = 0


def tree_of(values: Values) -> list[Leaf]:
    """The step's own values first, then what started the run. At most 300 parts in all."""
    room = [MOST_LEAVES]
    names = sorted(values.variables, key=lambda name: (name == "input", name))
    return [_leaf(name, name, values.variables[name], DEEPEST, room) for name in names]


def _leaf(where: str, label: str, value: Any, depth: int, room: list[int]) -> Leaf:
    room[0] -= 1
    inner = to_builtins(value) if isinstance(value, Message) else value
    steps: list[tuple[str | int, Any]] = []
    left = 0
    if isinstance(inner, dict):
        steps = list(inner.items())
    elif isinstance(inner, list):
        steps, left = list(enumerate(inner[:MOST_OF_A_LIST])), max(0, len(inner) - MOST_OF_A_LIST)
    parts = []
    for step, part in steps if depth else ():
        if room[0] <= 0:
            left += 1
            continue
        writable = where and not (isinstance(step, str) and ('"' in step or "\\" in step))
        parts.append(_leaf(path(where, step) if writable else "", _named(step), part, depth - 1, room))
    return Leaf(where, label, type_of(value), shortly(value), tuple(parts), left)


def _named(step: str | int) -> str:
    return step if isinstance(step, str) else str(step)
