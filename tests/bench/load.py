"""A load generator: keep-alive connections over raw sockets, so that it costs less than what it measures."""

import asyncio
import time
from typing import cast

from msgspec import Struct


class Measured(Struct, frozen=True):
    """`rate` per second; `p50`, `p95`, `p99` in milliseconds. `cpu`: microseconds of the load's own CPU a request."""

    rate: float
    p50: float
    p95: float
    p99: float = 0.0
    cpu: float = 0.0


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, times: list[float], until: float, done: "asyncio.Future[None]") -> None:
        self._request, self._times, self._until, self._done = request, times, until, done
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + self._size(data, end):
            self._buffer = data
            return
        self._buffer = b""
        if not data.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(AssertionError(data[:500].decode()))
            self._transport.close()
            return
        now = time.perf_counter()
        self._times.append((now - self._began) * 1000)
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)

    @staticmethod
    def _size(data: bytes, end: int) -> int:
        at = data.find(b"ontent-length: ", 0, end)
        if at < 0:
            at = data.find(b"ontent-Length: ", 0, end)
        return int(data[at + 15 : data.find(b"\r", at)]) if at >= 0 else 0

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))


async def hammer(port: int, path: str, body: bytes, *, connections: int, seconds: float) -> Measured:
    """POST as fast as the answers come, on this many connections. Every answer must be 200."""
    loop = asyncio.get_running_loop()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\n"
    request = head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
    times: list[float] = []
    began, busy = time.perf_counter(), time.process_time()
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(
            lambda done=done: _Client(request, times, began + seconds, done), "127.0.0.1", port
        )  # type: ignore[misc]
        waiting.append(done)
    await asyncio.gather(*waiting)
    took = time.perf_counter() - began
    times.sort()
    cpu = (time.process_time() - busy) / len(times) * 1e6
    at = (times[int(len(times) * part)] for part in (0.5, 0.95, 0.99))
    return Measured(len(times) / took, *at, cpu)
