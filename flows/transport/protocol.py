"""What a transport is. One conformance suite (tests/flows/durable/test_transport.py) holds for each of them."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

Lane = Literal["interactive", "normal", "bulk", "quarantine"]
"""interactive: somebody waits. normal: all else. bulk: what may wait behind all else. quarantine: runs that were
present at three crashes, one at a time."""

LANES: tuple[Lane, ...] = ("interactive", "normal", "bulk", "quarantine")

Wake = Callable[[Lane], None]
"""Called in the event loop of `listen`; returns at once (sets an event). Being called too often does no harm."""


class Transport(Protocol):
    async def nudge(self, lane: Lane) -> bool:
        """Tell some worker that `lane` has work. False: surely nobody was told; True: probably somebody was.

        Never raises and never takes longer than a second: it is called after the commit that holds the promise.
        """
        ...

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        """Call `wake` for each nudge of one of `lanes`, until cancelled. Survives the death of what carries them."""
        ...

    async def close(self) -> None: ...
