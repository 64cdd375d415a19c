"""What may end or change a run from outside while it is executed: its deadline, a worker's word, signals."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from flows.ledger.protocol import Fault, RunRow
from flows.running import Running
from flows.sdk.context import Signal


class Stop(Protocol):
    """What a worker may tell the engine from outside. `cancel`: end the run. `pause`: stop at the next step border."""

    cancel: asyncio.Event
    pause: asyncio.Event


class OnlyPause:
    """While a run is being undone nobody can cancel that, and only a worker that shuts down may interrupt it."""

    def __init__(self, stop: Stop | None) -> None:
        self.cancel = asyncio.Event()
        self.pause = stop.pause if stop is not None else asyncio.Event()


def watch(
    run: Running, row: RunRow, stop: Stop | None, signals: "asyncio.Queue[Signal] | None"
) -> list["asyncio.Task[None] | asyncio.TimerHandle"]:
    """What may end or change the run from outside."""

    def too_late() -> None:
        run.fault = Fault(
            "The run took longer than its time limit. Raise the limit, or make it do less.", kind="Deadline"
        )
        run.end("failed")

    def pause() -> None:
        run.pausing = True
        run.loop.call_soon(run._idle)

    async def when(event: asyncio.Event, act: Callable[[], None]) -> None:
        await event.wait()
        act()

    async def take(queue: "asyncio.Queue[Signal]") -> None:
        while True:
            run.pauses.deliver(await queue.get())

    watchers: list[asyncio.Task[None] | asyncio.TimerHandle] = []
    if row.deadline is not None:
        watchers.append(run.loop.call_later(max(0.0, row.deadline - time.time()), too_late))
    if stop is not None:
        watchers.append(run.loop.create_task(when(stop.cancel, lambda: run.end("cancelled"))))
        watchers.append(run.loop.create_task(when(stop.pause, pause)))
    if signals is not None:
        watchers.append(run.loop.create_task(take(signals)))
    return watchers
