"""What the file of a flow is called. Pure."""

import re
from collections.abc import Collection, Iterable


def slug(name: str) -> str:
    """A flow's name in small letters, fit for a file."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-_")[:60] or "flow"


def names_for(names: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """A file name for each, without ending, in their order; the second of the same gets "-2"."""
    used, found = set(taken), []
    for name in names:
        first = whole = slug(name)
        number = 2
        while whole in used:
            whole, number = f"{first}-{number}", number + 1
        used.add(whole)
        found.append(whole)
    return found
