"""What a language says: catalogues/<lang>.po, read once a process and only when somebody asks for that language.

A catalogue is written by people whom we may not know, so it is material, not code: each translation is compared with
its source, and one whose places differ, or which holds a brace that is no place, is left out (English is shown) and
named by `faults`. Whatever else stands in it is escaped text.
"""

import gettext
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

FOLDER = Path(__file__).resolve().parent / "catalogues"
ENGLISH = "en"
PLACE = re.compile(r"\{(\d{1,2})\}|<(/?)(\d{1,2})(/?)>")
"""{1}, <1>, </1>, <1/>. Groups: value; closing, element, whole."""
_HOLE = re.compile(r"\{\{ ?[\w.]+ ?\}\}")
SCRIPTS = "script"
"""A message that a script says has this extracted comment; so has one of Python "python"."""
PYTHON = "python"


class Translated(Struct, frozen=True):
    """`forms`: one, or as many as the language has plurals (0, 1, …, as gettext counts them)."""

    forms: tuple[str, ...]


class Catalogue(Struct, frozen=True):
    """`texts`: message → translation; `counted`: English singular → forms, `plurals`: English
    singular → English plural. `form(n)` says which form a number takes."""

    language: str
    texts: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    plurals: dict[str, str] = {}
    form: Callable[[int], int] = int
    in_scripts: frozenset[str] = frozenset()
    in_python: frozenset[str] = frozenset()

    def find(self, message: str, plural: str = "") -> Translated | None:
        if plural:
            forms = self.counted.get(message)
            return Translated(forms) if forms else None
        text = self.texts.get(message)
        return Translated((text,)) if text else None


class Fault(Struct, frozen=True):
    message: str
    text: str
    why: str


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """English, and every language of which there is a catalogue."""
    return (ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.po")))


@lru_cache(maxsize=16)
def catalogue(language: str) -> Catalogue:
    """Raises LookupError for a language that `languages()` does not list."""
    if language not in languages():
        raise LookupError(f"There is no catalogue of {language!r}. There are: {', '.join(languages())}.")
    if language == ENGLISH:
        return Catalogue(ENGLISH)
    return read(language, (FOLDER / f"{language}.po").read_bytes())[0]


def read(language: str, content: bytes) -> tuple[Catalogue, list[Fault]]:
    """A PO file. Fuzzy and empty entries are not there; faulty ones are not either, and are told."""
    texts: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    plurals: dict[str, str] = {}
    places: dict[str, set[str]] = {SCRIPTS: set(), PYTHON: set()}
    faulty: list[Fault] = []
    for message in _messages(language, content):
        source, strings = (message.id, message.string)
        ids = (source,) if isinstance(source, str) else tuple(source)
        forms = (strings,) if isinstance(strings, str) else tuple(strings)
        if not ids[0] or message.fuzzy or not all(forms):
            continue
        for kind, ids_of_kind in places.items():
            if kind in message.auto_comments:
                ids_of_kind.add(ids[0])
        why = next((why for form in forms if (why := wrong(ids, form))), "")
        if why:
            faulty.append(Fault(ids[0], " | ".join(forms), why))
        elif len(ids) > 1:
            counted[ids[0]], plurals[ids[0]] = forms, ids[1]
        else:
            texts[ids[0]] = forms[0]
    form = gettext.c2py(plural_rule(language)) if language != ENGLISH else int
    return (
        Catalogue(language, texts, counted, plurals, form, frozenset(places[SCRIPTS]), frozenset(places[PYTHON])),
        faulty,
    )


def plural_rule(language: str) -> str:
    """The C expression by which gettext chooses a form; of the language, not of what a file says."""
    from babel.messages.plurals import get_plural

    return str(get_plural(language).plural_expr)


def _messages(language: str, content: bytes) -> Iterator[Any]:
    import io

    from babel.messages.pofile import read_po

    yield from read_po(io.BytesIO(content), locale=language, abort_invalid=True)


def wrong(sources: tuple[str, ...], text: str) -> str:
    """Why this can't stand for these sources (singular, plural); "" when it can.

    One form of a plural may leave out values (a language can say "one run" without a figure), a plain text may not.
    """
    held = sorted(_kinds(sources[-1]))
    given = sorted(_kinds(text))
    if len(sources) == 1 and held != given:
        return f"places {' '.join(given) or 'none'} instead of {' '.join(held) or 'none'}"
    if len(sources) > 1:
        elements = [k for k in held if "<" in k]
        if [k for k in given if "<" in k] != elements or not set(given) <= set(held) or len(set(given)) < len(given):
            return f"places {' '.join(given) or 'none'}, of {' '.join(held) or 'none'}"
    rest = PLACE.sub("", text)
    for hole in set(_HOLE.findall(sources[-1])):  # {{ name }}: what the sentence is about, it may come again
        rest = rest.replace(hole, "")
    if "{" in rest or "}" in rest:
        return "a brace that is no place"
    return "" if _nested(text) else "elements are not closed in the order in which they open"


def _kinds(text: str) -> list[str]:
    return [place.group() for place in PLACE.finditer(text)]


def _nested(text: str) -> bool:
    opened: list[str] = []
    for place in PLACE.finditer(text):
        _, closing, number, whole = place.groups()
        if not number or whole:
            continue
        if not closing:
            opened.append(number)
        elif not opened or opened.pop() != number:
            return False
    return not opened
