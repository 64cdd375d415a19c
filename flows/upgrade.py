"""Bring a flow document of any released format to the newest: one pure function per step, n -> n + 1."""

from collections.abc import Callable
from typing import Any

from flows.model import FORMAT

Document = dict[str, Any]
STEPS: dict[int, Callable[[Document], Document]] = {}
"""{n: function that takes a document of format n and gives one of n + 1}. Format 1 is the first: nothing is here yet.

tests/flows/golden holds stored documents of every format; they open and run for ever."""


class UnknownFormat(ValueError):
    """The document comes from a newer Agentbase, or its format number is no number."""


def upgrade(document: Document) -> Document:
    """The document in format FORMAT. Raises UnknownFormat, whose text a person can act on."""
    number = document.get("format", 1)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UnknownFormat(f"'format' is {number!r}, but a flow document has a number from 1 to {FORMAT} there.")
    if number > FORMAT:
        raise UnknownFormat(
            f"This flow was saved by a newer Agentbase: format {number}, and this one reads up to {FORMAT}. Update it."
        )
    for step in range(number, FORMAT):
        document = STEPS[step](document) | {"format": step + 1}
    return document
