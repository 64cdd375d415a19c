"""Two texts side by side, word by word. Pure."""

import re
from difflib import SequenceMatcher

from app.checks.shapes import Piece

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 4_000
"""Beyond this the texts are compared by lines: comparing words takes the square of their number."""


def pieces(before: str, after: str) -> list[Piece]:
    """What stayed, what is gone and what is new, in reading order; neighbours of one kind are one piece."""
    a, b = _split(before), _split(after)
    found: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(a[i:j])))
            continue
        if i < j:
            found.append(Piece("gone", "".join(a[i:j])))
        if k < m:
            found.append(Piece("new", "".join(b[k:m])))
    return found


def _split(text: str) -> list[str]:
    words = WORD.findall(text)
    return words if len(words) <= MOST_WORDS else text.splitlines(keepends=True)
