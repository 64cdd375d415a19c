"""Two texts side by side, word by word: an expected answer and what came, a prompt before and after. Pure.

Myers' algorithm (An O(ND) Difference Algorithm, 1986): time grows with the number of differences, which is limited, so
that no text makes a page wait; difflib takes minutes for 4,000 words that are all alike.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

from msgspec import Struct

Kind = Literal["same", "gone", "new"]
WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 4_000
"""Beyond this the texts are compared by lines."""
MOST_EDITS = 600
"""Words gone and new. Texts that differ by more are compared by lines, then as wholes: they are other texts."""


class Piece(Struct, frozen=True):
    """A stretch of a text beside another: "same", "gone" (in the first only) or "new" (in the second only)."""

    kind: Kind
    text: str


def pieces(before: str, after: str) -> list[Piece]:
    """What stayed, what is gone and what is new, in reading order; neighbours of one kind are one piece."""
    if before == after:
        return [Piece("same", before)] if before else []
    script = None
    if max(len(before), len(after)) <= 40 * MOST_WORDS:
        a, b = WORD.findall(before), WORD.findall(after)
        script = _script(a, b) if max(len(a), len(b)) <= MOST_WORDS else None
    if script is None:
        script = _script(before.splitlines(keepends=True), after.splitlines(keepends=True))
    if script is None:
        script = [("gone", before), ("new", after)]
    return list(_joined(script))


def _script(a: Sequence[str], b: Sequence[str]) -> list[tuple[Kind, str]] | None:
    """One entry per word, or None when there are more than MOST_EDITS differences."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = _shortest(a[start : len(a) - end], b[start : len(b) - end])
    if middle is None:
        return None
    head: list[tuple[Kind, str]] = [("same", word) for word in a[:start]]
    return [*head, *middle, *(("same", word) for word in a[len(a) - end :])]


def _shortest(a: Sequence[str], b: Sequence[str]) -> list[tuple[Kind, str]] | None:
    """The edit script with the fewest words gone and new, found by growing it one edit at a time."""
    reached, steps = {1: 0}, []
    for edits in range(min(len(a) + len(b), MOST_EDITS) + 1):
        steps.append(dict(reached))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x
            if x >= len(a) and x - k >= len(b):
                return _back(a, b, steps)
    return None


def _back(a: Sequence[str], b: Sequence[str], steps: list[dict[int, int]]) -> list[tuple[Kind, str]]:
    found: list[tuple[Kind, str]] = []
    x, y = len(a), len(b)
    for edits in range(len(steps) - 1, -1, -1):
        reached, k = steps[edits], x - y
        down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
        came = reached[k + 1] if down else reached[k - 1]
        came_y = came - (k + 1 if down else k - 1)
        while x > came and y > came_y and x > 0 and y > 0:
            x, y = x - 1, y - 1
            found.append(("same", a[x]))
        if edits:
            found.append(("new", b[came_y]) if down else ("gone", a[came]))
            x, y = came, came_y
    return found[::-1]


def _joined(script: list[tuple[Kind, str]]) -> Iterator[Piece]:
    """Between two words that stay: first all that is gone, then all that is new. A space alone joins what changed."""
    runs = [(same, list(part)) for same, part in groupby(script, key=lambda each: each[0] == "same")]
    gone = new = ""
    for at, (same, part) in enumerate(runs):
        text = "".join(word for _, word in part)
        if not same:
            gone += "".join(word for kind, word in part if kind == "gone")
            new += "".join(word for kind, word in part if kind == "new")
        elif text.isspace() and "\n" not in text and 0 < at < len(runs) - 1 and gone and new:
            gone, new = gone + text, new + text
        else:
            yield from _changed(gone, new)
            gone = new = ""
            yield Piece("same", text)
    yield from _changed(gone, new)


def _changed(gone: str, new: str) -> Iterator[Piece]:
    if gone:
        yield Piece("gone", gone)
    if new:
        yield Piece("new", new)
