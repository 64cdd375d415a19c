"""A worker's heartbeat: in a thread with its own connection, so that a long computation in the loop doesn't stop it
at once, but stops it after `lag` seconds: a wedged worker must lose its runs.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from uuid import UUID

import asyncpg

log = logging.getLogger("agentbase.worker")

BEAT = "update worker set heartbeat_at = clock_timestamp(), draining = $2 where id = $1"


class Heart:
    """`dsn` and `server_settings` as asyncpg takes them. `period`, `lag` in seconds."""

    def __init__(
        self, dsn: str, server_settings: Mapping[str, str], worker: UUID, *, period: float = 10.0, lag: float = 20.0
    ) -> None:
        self._dsn = dsn
        self._settings = dict(server_settings)
        self._worker = worker
        self._period = period
        self._lag = lag
        self._answer = max(1.0, min(5.0, period))
        self._seen = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="heartbeat", daemon=True)
        self._pulse: asyncio.Task[None] | None = None
        self.draining = False
        self.forgotten = False
        """The database does not know this worker (any more): it must register again, or it loses what it claims."""

    def start(self) -> None:
        """Call in the loop whose health is watched."""
        self._pulse = asyncio.get_running_loop().create_task(self._tick())
        self._thread.start()

    async def stop(self) -> None:
        self._stop.set()
        if self._pulse is not None:
            self._pulse.cancel()
        await asyncio.to_thread(self._thread.join, 5)

    @property
    def beats(self) -> bool:
        """Whether the thread is there. It tries for ever, so this is False only after a defect."""
        return self._thread.is_alive()

    @property
    def lagging(self) -> float:
        """Seconds since the loop last ran."""
        return time.monotonic() - self._seen

    async def _tick(self) -> None:
        while True:
            self._seen = time.monotonic()
            await asyncio.sleep(min(0.5, self._period / 4))

    def _live(self) -> None:
        asyncio.run(self._beat_for_ever())

    async def _beat_for_ever(self) -> None:
        connection: asyncpg.Connection[asyncpg.Record] | None = None
        while not self._stop.is_set():
            pause = self._period
            if self.lagging > self._lag:
                log.error(
                    "The event loop stands still for %.0f s: no heartbeat, others may take our runs.", self.lagging
                )
            else:
                try:
                    if connection is None or connection.is_closed():
                        connection = await asyncpg.connect(
                            self._dsn,
                            server_settings=self._settings,
                            timeout=self._answer,
                            command_timeout=self._answer,
                        )
                    if await connection.execute(BEAT, self._worker, self.draining) == "UPDATE 0":
                        self.forgotten = True
                except Exception as trouble:  # whatever it is: a heart that stops loses all runs of this worker
                    log.warning("No heartbeat: %r", trouble)
                    if connection is not None:
                        connection.terminate()
                    connection, pause = None, min(1.0, self._period / 3)
            await asyncio.to_thread(self._stop.wait, pause)
        if connection is not None:
            connection.terminate()
