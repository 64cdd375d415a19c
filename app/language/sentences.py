"""Finished English sentences in another language: errors, toasts, labels, states. They are written in English all over
the product; here, where they reach a person, they are looked up.

First the whole text; then the sentences with values in them (f-strings, whose ids have {1} where the value stands),
found by their first words; then sentence by sentence. What is not found stays English.

A sentence with few words of its own ("Part of {1}", "Day {1}", "{1} tries") would also find what people wrote: such a
one is found only when numbers stand in its places. Names that people gave come here not at all (expressions.PEOPLES).

A value is found between two fixed pieces of text, from the left, without trying again: linear in the length of the
text, whatever somebody managed to put into it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct

from app.language.catalogue import ENGLISH, PLACE, Catalogue, catalogue
from app.language.choice import current

LONGEST = 2_000
"""Characters of a text that is looked for among sentences with values. Ours are shorter."""
FILLED_IN = frozenset(
    "text number list approved rejected editor viewer owner waiting running failed passed succeeded cancelled skipped "
    "anything nothing".split()
) | {
    "a text",
    "a number",
    "a list",
    "an object",
    "yes or no",
    "a message",
    "a file",
    "a picture",
    "a table",
    "in doubt",
}
"""Words of ours that stand in sentences: kinds of values, states, roles."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_END = re.compile(r"(?<=[.!?…]) (?=[A-Z“‘'\"])")


def say(text: str, *values: object) -> str:
    """`text` in the language of the request. With `values`: `say("Started by {1}", name)`."""
    language = current()
    if language != ENGLISH and text:
        text = (catalogue(language).texts.get(text) if values else _said(language, text)) or text
    return PLACE.sub(lambda place: str(values[int(place.group(1)) - 1]), text) if values else text


def said(value: Any, finished: bool = True) -> Any:
    """The filter of values in templates: our sentences as text; markup and whatever is no text stays as it is. What is
    not `finished` is a word of ours or a count: among sentences with values only those with numbers are looked for.
    """
    if type(value) is not str or not value or (language := current()) == ENGLISH:
        return value
    return _said(language, value, finished) or value


def number_of(text: str) -> int | None:
    digits = text.replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


class Pattern(Struct, frozen=True):
    """`fixed`: the pieces of text around the values. `message`: the id; `plural_of`: the singular it is a plural of."""

    fixed: tuple[str, ...]
    numbers: tuple[int, ...]
    message: str
    counts: bool = False
    one: bool = False

    @property
    def short(self) -> bool:
        """Too few words of its own to stand around anything but numbers: "Part of {1}", "{1} tries", "Step '{1}' {2}."
        are; "'{1}' must be {2}.", "{1} is gone." and "Step '{1}': {2}" are not."""
        words = len(_WORD.findall(" ".join(self.fixed)))
        led = any(": " in piece for piece in self.fixed)
        held = self.fixed[-1].endswith((".", "!", "?", "'", "”", ")")) or self.fixed[0].endswith(("'", "“"))
        return not led and (words < 2 or (words == 2 and not held))

    def fits(self, values: dict[int, str], *, finished: bool) -> bool:
        """Counts have a number among their values; where no sentences come, or in short ones, each value is one."""
        numbers = [number_of(value) is not None for value in values.values()]
        if self.short or not finished:
            return all(numbers)
        return any(numbers) or not self.counts or self.one

    def values(self, text: str) -> dict[int, str] | None:
        if not text.startswith(self.fixed[0]) or not text.endswith(self.fixed[-1]):
            return None
        at, end = len(self.fixed[0]), len(text) - len(self.fixed[-1])
        found: dict[int, str] = {}
        for number, after in zip(self.numbers[:-1], self.fixed[1:-1], strict=True):
            stop = text.find(after, at + 1, end)
            if stop < 0:
                return None
            found[number] = text[at:stop]
            at = stop + len(after)
        if at >= end:
            return None
        found[self.numbers[-1]] = text[at:end]
        return found


@lru_cache(maxsize=4_096)
def _said(language: str, text: str, finished: bool = True) -> str | None:
    if (whole := catalogue(language).texts.get(text)) is not None:
        return None if PLACE.search(whole) else whole
    parts = _END.split(text) if finished and len(text) <= LONGEST else [text]
    said_parts = [_sentence(language, part, finished) for part in parts]
    if len(parts) > 1 and not all(said_parts) and (found := _sentence(language, text, finished)):
        return found
    if not any(said_parts):
        return None
    return " ".join(new or old for new, old in zip(said_parts, parts, strict=True))


def _sentence(language: str, text: str, finished: bool) -> str | None:
    ours = catalogue(language)
    if (whole := ours.texts.get(text)) is not None:
        return None if PLACE.search(whole) else whole
    if text in ours.counted:
        return ours.counted[text][ours.form(1)]
    if len(text) > LONGEST:
        return None
    for pattern in _candidates(language, text):
        values = pattern.values(text)
        if values is not None and pattern.fits(values, finished=finished):
            return _filled(ours, pattern, values)
    return None


def _filled(ours: Catalogue, pattern: Pattern, values: dict[int, str]) -> str:
    if pattern.counts:
        number = next((n for value in values.values() if (n := number_of(value)) is not None), 1 if pattern.one else 2)
        text = ours.counted[pattern.message][ours.form(number)]
    else:
        text = ours.texts[pattern.message]
    return PLACE.sub(lambda place: _inner(ours.language, values.get(int(place.group(1)), "")), text)


def _inner(language: str, value: str) -> str:
    """A value may be a sentence of ours itself (a remedy, a reason), or one of the words that sentences are filled
    with; any other single word is taken as somebody's name."""
    if value in FILLED_IN:
        return _said(language, value, False) or value
    return (_said(language, value) or value) if value.count(" ") > 1 else value


class _Index(Struct, frozen=True):
    """Patterns by their first word, by their last one when they begin with a value, and those with neither."""

    first: dict[str, list[Pattern]]
    last: dict[str, list[Pattern]]
    others: list[Pattern]


def _candidates(language: str, text: str) -> Iterator[Pattern]:
    index = _index(language)
    yield from index.first.get(text.partition(" ")[0], ())
    yield from index.last.get(text.rpartition(" ")[2], ())
    yield from index.others


@lru_cache(maxsize=16)
def _index(language: str) -> _Index:
    ours = catalogue(language)
    index = _Index({}, {}, [])
    found = [pattern_of(message, message) for message in ours.texts if message in ours.in_python]
    for singular, plural in ours.plurals.items():
        found += [
            pattern_of(singular, singular, counts=True, one=True),
            pattern_of(plural, singular, counts=True),
        ]
    patterns = [each for each in found if each is not None]
    for pattern in sorted(patterns, key=lambda each: -sum(map(len, each.fixed))):
        first, space, _ = pattern.fixed[0].partition(" ")
        _, gap, last = pattern.fixed[-1].rpartition(" ")
        if space:
            index.first.setdefault(first, []).append(pattern)
        elif gap:
            index.last.setdefault(last, []).append(pattern)
        else:
            index.others.append(pattern)
    return index


def pattern_of(form: str, message: str, *, counts: bool = False, one: bool = False) -> Pattern | None:
    """None for a text without values, with elements, or with too few words of its own to be told apart."""
    places = list(PLACE.finditer(form))
    numbers = tuple(int(place.group(1)) for place in places if place.group(1))
    fixed = tuple(PLACE.split(form)[:: PLACE.groups + 1])
    letters = sum(1 for piece in fixed for sign in piece if sign.isalpha())
    if not places or len(numbers) < len(places) or letters < 3 or any(not piece for piece in fixed[1:-1]):
        return None
    return Pattern(fixed, numbers, message, counts, one)
