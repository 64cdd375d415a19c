"""Containers as plainly as they can be written: rounds one after the other, as values; no engine.

A `Box` is a body of one or two steps: `work` gives a text of what it gets, or fails, or stays silent; an exit may end
the round or the container. Compared with the engine by test_boxes.py.
"""

from typing import Any

from msgspec import Struct

SILENT = "(silent)"


class Fails(Exception):
    """The container failed, and with it the run."""


class Box(Struct):
    """One container. Lists of round numbers say in which rounds something happens in it.

    `inner`: a container in it, whose result goes through `work`. `policy`: on_item_error, of a For each only.
    """

    each: bool
    rounds: int
    policy: str = "skip"
    at_once: int = 1
    fails: list[int] = []
    silent: list[int] = []
    next: list[int] = []
    leaves: list[int] = []
    carries: bool = True
    waits: list[int] = []
    inner: "Box | None" = None


def run(box: Box, given: str) -> Any:
    """What the container hands on: the list of results, or the last state. Raises Fails."""
    results: list[Any] = []
    state: Any = given
    for i in range(box.rounds):
        came = f"{given}.{i}" if box.each else state
        left = i in box.leaves
        if left or i in box.next:
            value = came if box.carries else SILENT
        else:
            try:
                value = work(box, i, came)
            except Fails:
                if not box.each or box.policy == "fail":
                    raise
                value = SILENT if box.policy == "skip" else {"error": "as asked"}
        if value != SILENT:
            results.append(value)
            state = value
        if left:
            break
    return results if box.each else state


def work(box: Box, i: int, came: Any) -> Any:
    inside = came if box.inner is None else run(box.inner, str(came))
    if i in box.fails:
        raise Fails
    return SILENT if i in box.silent else f"w({inside})"
