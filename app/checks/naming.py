"""Names in files have to differ; those of people need not. Pure."""

from collections.abc import Iterable

MOST = 120


def told_apart(names: Iterable[str]) -> list[str]:
    """The same names in their order; the second of the same gets " 2". The same names always give the same."""
    used: set[str] = set()
    found = []
    for name in names:
        whole, number = name, 2
        while whole in used:
            end = f" {number}"
            whole, number = name[: MOST - len(end)] + end, number + 1
        used.add(whole)
        found.append(whole)
    return found
