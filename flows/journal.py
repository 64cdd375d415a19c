"""What the engine wants written, collected so that one transaction carries as much as it may."""

import asyncio
from collections.abc import Sequence
from typing import Any

from flows.ledger.protocol import Claim, Ledger, RunChange, StepChange
from flows.sdk.context import Signal
from flows.stored import Values

MOST_WAITING = 500
MOST_BYTES = 16 * 1024 * 1024
"""Large values that wait for storage: above this a long container writes before it goes on."""


class Journal:
    """`owed`: the outcome of a step that is not `pure` waits to be written, so nothing new may start before `flush`."""

    def __init__(self, ledger: Ledger, claim: Claim) -> None:
        self.ledger = ledger
        self.claim = claim
        self.owed = False
        self._steps: list[StepChange] = []
        self._events: list[dict[str, Any]] = []
        self._used: list[Signal] = []
        self._values: dict[str, bytes] = {}
        self._bytes = 0
        self._lock = asyncio.Lock()
        self._last: asyncio.Future[None] | None = None

    def add(self, change: StepChange) -> None:
        self._steps.append(change)
        if change.effect != "pure" and change.status != "started":
            self.owed = True

    @property
    def full(self) -> bool:
        """So much waits that a long container should write it before it goes on."""
        return len(self._steps) >= MOST_WAITING or self._bytes >= MOST_BYTES

    def event(self, event: dict[str, Any]) -> None:
        self._events.append(event)

    def keep(self, values: Values) -> None:
        """These go to storage before what was added is written: a crash between leaves a value nobody names."""
        self._values.update(values)
        self._bytes += sum(map(len, values.values()))

    def use(self, signal: Signal) -> None:
        self._used.append(signal)

    async def flush(self, run: RunChange | None = None) -> None:
        """Write all that was added before this call. Whoever comes first writes for those who wait.

        So those who wait may only go on when that write has succeeded: not when it failed, and not while it is still
        under way because its writer was called off. A step would begin without being on record.

        Raises LostRun, and whatever the ledger raises when it can't be reached: the run then ends here, and is resumed.
        """
        async with self._lock:
            if self._last is not None:
                await asyncio.shield(self._last)  # raises again what it raised
            if not (self._steps or self._events or self._used or run):
                return
            steps, self._steps = self._steps, []
            events, self._events = self._events, []
            used, self._used = self._used, []
            values, self._values, self._bytes = self._values, {}, 0
            self.owed = False
            self._last = asyncio.ensure_future(self._write(values, steps, run, events, used))
            self._last.add_done_callback(_fetched)
            await asyncio.shield(self._last)

    async def _write(
        self,
        values: Values,
        steps: Sequence[StepChange],
        run: RunChange | None,
        events: Sequence[dict[str, Any]],
        used: Sequence[Signal],
    ) -> None:
        if values:
            await self.ledger.keep(self.claim, values)
        await self.ledger.write(self.claim, steps, run, events, used)


def _fetched(write: "asyncio.Future[None]") -> None:
    """The error of a write whose writer was called off belongs to whoever flushes next; it is no news by itself."""
    if not write.cancelled():
        write.exception()
