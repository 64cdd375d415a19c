"""The transport that can't fail: look every two seconds. Nudges within one process arrive at once."""

import asyncio
import random
from collections.abc import Sequence

from flows.transport.protocol import Lane, Transport, Wake

PERIOD = 2.0
"""Seconds between two looks. Bounds what a dead Redis costs."""

JITTER = 0.2
"""Share of the period by which each pause differs, so that the workers of a fleet don't ask in step."""


class Poll:
    def __init__(self, period: float = PERIOD) -> None:
        self._period = period
        self._listeners: dict[Lane, list[Wake]] = {}

    async def nudge(self, lane: Lane) -> bool:
        listeners = self._listeners.get(lane, [])
        for wake in listeners:
            wake(lane)
        return bool(listeners)

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        for lane in lanes:
            self._listeners.setdefault(lane, []).append(wake)
        try:
            while True:
                for lane in lanes:
                    wake(lane)
                await asyncio.sleep(self._period * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311  no secret
        finally:
            for lane in lanes:
                self._listeners[lane].remove(wake)

    async def close(self) -> None:
        return None


class Several:
    """Several transports as one: nudge through each, listen to all. Workers use `Several(Poll(), Arq(url))`."""

    def __init__(self, *transports: Transport) -> None:
        self._transports = transports

    async def nudge(self, lane: Lane) -> bool:
        return any([await transport.nudge(lane) for transport in self._transports])

    async def listen(self, lanes: Sequence[Lane], wake: Wake) -> None:
        async with asyncio.TaskGroup() as group:
            for transport in self._transports:
                group.create_task(transport.listen(lanes, wake))

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()
