"""Conditions as a card shows them: the sentence somebody built, not the expression that is kept of it. Pure."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from app.studio.sentence_reading import read
from app.studio.sentences import said
from flows.sdk.annotations import CONDITION
from flows.sdk.holes import hints_of, pieces
from flows.sdk.ports import extra

MOST_CASES = 12
"""Cases that are put into words; a card has room for three lines."""


def conditions_of(settings: Any) -> str:
    """ "order.total is greater than 10"; of a list of cases "eu if country is DE · us if country is US"; "" = none.

    What is more than a sentence stays as it is written.
    """
    if not isinstance(settings, Struct):
        return ""
    return " · ".join(_words(settings))


def _words(settings: Struct) -> Iterator[str]:
    for name, hint in hints_of(type(settings)).items():
        value = getattr(settings, name)
        if _is_condition(hint):
            if words := _sentence(value):
                yield words
        elif isinstance(value, list) and value and isinstance(value[0], Struct):
            yield from (words for _, case in list(pieces(hint, value))[:MOST_CASES] if (words := _case(case)))


def _case(case: Any) -> str:
    """One row of a list that has a condition and a name."""
    kind: type[Struct] = type(case)
    hint = next((name for name, hint in hints_of(kind).items() if _is_condition(hint)), "")
    words = _sentence(getattr(case, hint)) if hint else ""
    return f"{getattr(case, 'name', '')} if {words}".strip() if words else ""


def _is_condition(hint: Any) -> bool:
    return bool(extra(hint, "x-widget") == CONDITION)


def _sentence(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        return ""
    sentence = read(text)
    return said(sentence) if sentence is not None else " ".join(text.split())
