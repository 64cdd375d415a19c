"""The places of a worker: which runs have one, how each is told to end, and how many more a lane may take."""

import asyncio
from collections.abc import Iterator

from msgspec import Struct

from flows.ledger.protocol import Claim
from flows.sdk.context import Signal
from flows.transport.protocol import Lane

MOST = 50
"""Runs that are claimed at once."""


class Stop:
    """What the engine is told from outside. `cancel`: somebody wants the run to end. `pause`: end at the next step
    border.

    `signals`: those that arrive while the run is under way.
    """

    __slots__ = ("cancel", "pause", "signals")

    def __init__(self) -> None:
        self.cancel = asyncio.Event()
        self.pause = asyncio.Event()
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()


class Taken(Struct, frozen=True):
    """A run that has a place."""

    task: asyncio.Task[None]
    stop: Stop
    lane: Lane


class Places:
    """`slots`: runs at once. A fifth of them is kept free for the interactive lane; bulk has half of them at most, and
    a tenth is left to it while it has something queued.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._taken: dict[Claim, Taken] = {}
        self.bulk_waits = False
        """Whether bulk may have something queued: it asked, and has not yet got less than it asked for."""

    def __len__(self) -> int:
        return len(self._taken)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._taken)

    def __contains__(self, claim: Claim) -> bool:
        return claim in self._taken

    def take(self, claim: Claim, taken: Taken) -> None:
        self._taken[claim] = taken

    def leave(self, claim: Claim) -> None:
        self._taken.pop(claim, None)

    def stop_of(self, claim: Claim) -> Stop | None:
        """None for a run that has no place any more."""
        taken = self._taken.get(claim)
        return taken.stop if taken is not None else None

    def taken(self) -> list[Taken]:
        return list(self._taken.values())

    def free(self, lane: Lane) -> int:
        """How many runs this lane may claim now; 0 or less: none."""
        free = self._slots - len(self._taken)
        if lane in ("interactive", "quarantine"):
            return min(free, MOST)
        bulk = sum(taken.lane == "bulk" for taken in self._taken.values())
        free -= self._slots // 5
        if lane == "bulk":
            self.bulk_waits = True
            return min(free, max(1, self._slots // 2) - bulk, MOST)
        return min(free - (max(0, self._slots // 10 - bulk) if self.bulk_waits else 0), MOST)
