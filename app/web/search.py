"""What Ctrl K finds beyond flows: every domain says once how its things are looked up by name.

    search.offer("People", "users", members_named)      in the module with its pages

A finder starts from the actor and gives only what that person may open.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from app.web.actor import Actor

MOST = 5
"""Lines of one kind."""


class Hit(Struct, frozen=True):
    """One thing that was found. `note`: what it is, in a few words. `icon` "" = that of its kind."""

    name: str
    note: str
    href: str
    icon: str = ""


Finder = Callable[[Actor, str, int], Awaitable[Sequence[Hit]]]
"""(who asks, the letters typed, how many at most) -> what was found, the best first."""


class Kind(Struct, frozen=True):
    title: str
    icon: str
    find: Finder


class Group(Struct, frozen=True):
    """The hits of one kind, under its title."""

    title: str
    icon: str
    hits: Sequence[Hit]


_kinds: dict[str, Kind] = {}


def offer(title: str, icon: str, find: Finder) -> None:
    _kinds[title] = Kind(title, icon, find)


async def find(actor: Actor, words: str) -> list[Group]:
    """Everything that has these letters in its name, kind by kind; kinds without a hit are left out."""
    if not words:
        return []
    kinds = list(_kinds.values())
    found = await asyncio.gather(*(kind.find(actor, words, MOST) for kind in kinds))
    return [Group(kind.title, kind.icon, hits) for kind, hits in zip(kinds, found, strict=True) if hits]


def like(words: str) -> str:
    """For ILIKE: anywhere in the text, % and _ are letters like any other."""
    return "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
