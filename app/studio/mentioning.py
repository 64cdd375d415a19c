"""Who a comment mentions, and how that looks. Pure.

A mention is an @ before a member's name or address. Two members of one name are both meant; an address means one.
"""

import html
import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from app.accounts.queries import Person
from app.web.words import markdown


def mentioned(text: str, people: Sequence[Person]) -> list[Person]:
    """Members named in this text, in their own order."""
    found = {match.group(1).lower() for match in _pattern(_called(people)).finditer(text)}
    return [person for person in people if {person.name.lower(), person.email.lower()} & found]


def _called(people: Sequence[Person]) -> list[str]:
    return [word for person in people for word in (person.name, person.email) if word]


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """The longest name wins: "@Mara Fern" is not "@Mara"."""
    listed = "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?<![\w.+@-])@({listed})(?![\w@]|[.-]\w)", re.IGNORECASE)


_TAG = re.compile(r"(<[^>]*>)")


def marked(text: str, called: Sequence[str]) -> Markup:
    """A comment as a page shows it: sanitized Markdown with the mentions set off. `called`: what stands behind an @."""
    pattern = _pattern(html.escape(name, quote=False) for name in called)
    # Every second part is a tag of the sanitizer's: names inside of those (an address in a link) stay as they are.
    parts = _TAG.split(str(markdown(text)))
    parts[::2] = [pattern.sub(r'<span class="mention">@\1</span>', part) for part in parts[::2]]
    return Markup("".join(parts))  # noqa: S704 -- the sanitizer's output; what is added is a fixed tag around its own text
