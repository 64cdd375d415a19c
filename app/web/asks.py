"""What waits for one person besides runs: every domain says once how it counts. The sum stands beside "Needs you".

asks.offer(unseen_mentions, "Mentions", "/needs-you/mentions")      in the module with its pages
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from app.web.actor import Actor

Counter = Callable[[Actor], Awaitable[int]]


class Ask(Struct, frozen=True):
    """One kind of things that wait, and the page where they are."""

    label: str
    href: str
    count: int


_kinds: dict[str, tuple[Counter, str]] = {}


def offer(counter: Counter, label: str, href: str) -> None:
    _kinds[label] = (counter, href)


async def listed(actor: Actor) -> list[Ask]:
    """Every kind with how many wait, in the order of their names."""
    return [Ask(label, href, await counter(actor)) for label, (counter, href) in sorted(_kinds.items())]


async def waiting(actor: Actor) -> int:
    return sum(ask.count for ask in await listed(actor))
