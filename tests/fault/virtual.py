"""Time that does not pass: an event loop whose clock jumps to the next thing that is due."""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class _NoWaiting(selectors.SelectSelector):
    """Where a real loop sleeps, ours moves its clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.now += timeout
        elif timeout is None:
            raise RuntimeError("Everything waits for something that will never come.")
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


@contextmanager
def _clock_of(loop: VirtualLoop) -> Iterator[None]:
    really = time.time
    time.time = loop.time
    try:
        yield
    finally:
        time.time = really


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """asyncio.run without waiting. `time.time()` is the loop's clock, and begins at 0."""
    loop = VirtualLoop()
    with _clock_of(loop):
        try:
            return loop.run_until_complete(coroutine)
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.close()
