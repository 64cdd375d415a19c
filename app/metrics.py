"""Numbers for Prometheus, on a listener of their own that only this machine (or the private network) reaches.

Domains define their metrics where they count; what every process has is here. Labels never hold ids, names or texts of
people: only words from a short fixed list, so that series stay few.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from prometheus_client import REGISTRY, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app import config, db, health
from app.clock import monotonic
from app.events import hub
from app.logs import logger

log = logger(__name__)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Histogram(
    "agentbase_request_seconds",
    "Requests by route, method and status class.",
    ["route", "method", "status"],
    buckets=FAST,
)
_counted: dict[tuple[str, str, int], Histogram] = {}
"""Series by their labels: `labels` checks and joins them anew each time, which the webhook route would notice."""
LOOP_LAG = Gauge("agentbase_loop_lag_seconds", "How late the event loop was at its last beat.")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PORTS = 16
"""Processes of one machine that may each have a listener: they take the ports after AGENTBASE_METRICS_PORT in turn."""

Page = Callable[[], Awaitable[tuple[int, str, bytes]]]


def request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. `route`: its pattern (/flows/{id}), never the path somebody typed."""
    key = (route, method, status // 100)
    counted = _counted.get(key)
    if counted is None:
        counted = _counted[key] = REQUESTS.labels(route, method, f"{status // 100}xx")
    counted.observe(seconds)


class _Kernel(Collector):
    """Read when asked, instead of counted along."""

    def collect(self) -> Iterable[Any]:
        pools = GaugeMetricFamily("agentbase_db_connections", "Connections by pool.", labels=["role", "state"])
        for role, pool in db.pools.items():
            idle = pool.get_idle_size()
            pools.add_metric([role, "idle"], idle)
            pools.add_metric([role, "busy"], pool.get_size() - idle)
        yield pools
        yield GaugeMetricFamily("agentbase_streams", "Open live streams.", value=hub.listening)
        yield GaugeMetricFamily("agentbase_python_objects", "Objects the collector follows.", value=sum(gc.get_count()))


REGISTRY.register(_Kernel())


class Listener:
    """GET /metrics, /health/live and /health/ready on an internal port. Nothing else, and no request body."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[str]]]) -> None:
        self.checks = checks
        self.port = 0
        self._server: asyncio.Server | None = None
        self._beat: asyncio.Task[None] | None = None

    async def start(self, host: str, first_port: int) -> None:
        """Take the first free port from `first_port` on; logs which. Raises OSError when all PORTS are taken."""
        for port in range(first_port, first_port + PORTS):
            try:
                self._server = await asyncio.start_server(self._answer, host, port, limit=8192)
            except OSError:
                if port == first_port + PORTS - 1:
                    raise
                continue
            self.port = self._server.sockets[0].getsockname()[1]
            break
        self._beat = asyncio.create_task(_measure_lag())
        log.info("metrics are served", address=f"http://{host}:{self.port}/metrics")

    async def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
                status, kind, body = await self._page(method, rest.partition(" ")[0].partition("?")[0])
                writer.write(
                    f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    async def _page(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method != "GET":
            return 405, "text/plain", b"only GET\n"
        if path == "/metrics":
            return 200, CONTENT_TYPE, generate_latest(REGISTRY)
        if path == "/health/live":
            return 200, "text/plain", b"live\n"
        if path == "/health/ready":
            reasons = [reason for check in self.checks.values() if (reason := await check())]
            return (503 if reasons else 200), "text/plain", ("\n".join(reasons) or "ready").encode() + b"\n"
        return 404, "text/plain", b"nothing here\n"


@asynccontextmanager
async def serving() -> AsyncIterator[Listener | None]:
    """This process's listener for the length of a block; None when AGENTBASE_METRICS_PORT is 0."""
    settings = config.settings()
    if not settings.metrics_port:
        yield None
        return
    listener = Listener({"database": health.database, "workers": health.workers})
    await listener.start(settings.metrics_host, settings.metrics_port)
    try:
        yield listener
    finally:
        await listener.stop()


async def _measure_lag(every: float = 1.0) -> None:
    while True:
        due = monotonic() + every
        await asyncio.sleep(every)
        LOOP_LAG.set(max(0.0, monotonic() - due))
