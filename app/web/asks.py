"""What waits for one person besides runs: every domain says once how it counts. The sum stands beside "Needs you".

asks.offer(unseen_mentions)      in the module with its pages
"""

from collections.abc import Awaitable, Callable

from app.web.actor import Actor

Counter = Callable[[Actor], Awaitable[int]]

_counters: list[Counter] = []


def offer(counter: Counter) -> None:
    if counter not in _counters:
        _counters.append(counter)


async def waiting(actor: Actor) -> int:
    return sum([await count(actor) for count in _counters])
