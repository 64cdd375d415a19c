"""The product's own web process, which is killed and started again at the same address; and those who follow it."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from app import config
from app.embedded.folder import free_port


class Web:
    """The product's own web process, which is killed and started again at the same address."""

    def __init__(self, log: Path | None = None) -> None:
        """`log`: where its output goes."""
        self.port = free_port()
        self._log = log or Path(os.devnull)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "web", "--port", str(self.port)],
                cwd=Path(__file__).resolve().parents[2], env=config.environment(config.settings()),
                stdout=out, stderr=out,
            )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def resident(self) -> int:
        """Bytes of memory."""
        assert self.process is not None
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def said(self, words: str) -> int:
        """How often these words stand in its log."""
        return self._log.read_text(errors="replace").count(words)

    def kill(self) -> None:
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


@asynccontextmanager
async def running_web(log: Path) -> AsyncIterator[Web]:
    """One that is there from the beginning to the end."""
    web = Web(log)
    web.start()
    try:
        yield web
    finally:
        web.kill()


def browsers() -> httpx.AsyncClient:
    """All of them in one: a client of its own for each takes longer than the faults."""
    patience = httpx.Timeout(30, connect=5, pool=None)
    return httpx.AsyncClient(timeout=patience, limits=httpx.Limits(max_connections=None), trust_env=False)


class Follower:
    """One stream. `heard`: numbers and types of what came, in the order it came; `cuts`: how often it was cut off.
    `began`: the number its stream began after. `ends`: with the run it follows. `reading`: it reads while this is set.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, headers: dict[str, str], *, ends: bool = False) -> None:
        self.ends = ends
        self.client, self.url, self.headers, self.last = client, url, headers, ""
        self.heard: list[tuple[int, str, Any]] = []
        self.cuts = 0
        self.began = 0
        self.open = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()

    async def follow(self) -> None:
        """Until cancelled, or until the stream says that its run is over."""
        while True:
            more = {"last-event-id": self.last} if self.last else {}
            try:
                async with self.client.stream("GET", self.url, headers={**self.headers, **more}) as answer:
                    if answer.status_code != 200:
                        raise httpx.TransportError(f"{answer.status_code}")
                    self.open.set()
                    if await self._read(answer):
                        return
                    self.cuts += 1
            except httpx.HTTPError:
                self.cuts += self.open.is_set()
            self.open.clear()
            await asyncio.sleep(0.2)

    async def _read(self, answer: httpx.Response) -> bool:
        number, kind = "", ""
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                number = value
            elif name == "event":
                kind = value
            elif name == "data":
                await self.reading.wait()
                if kind == "hello" and not self.last:
                    self.began = int(number)
                if number and kind not in ("hello", "bye"):
                    self.heard.append((int(number), kind, msgspec.json.decode(value)))
                self.last, number = number or self.last, ""
                if self.ends and kind in ENDS:
                    return True
        return False


ENDS = frozenset({"run.succeeded", "run.failed", "run.cancelled", "run.in_doubt", "run.dead"})
