"""A bad network between a program and PostgreSQL, in our own process: it stalls, drips, breaks, and loses answers.

It reads the protocol far enough to know which statement an answer belongs to, so that a test can lose the very answer
it means: the statement was carried out and committed, and whoever asked never hears of it.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

UNTYPED = 8  # the length of what a client may send before its start-up message: SSLRequest, GSSENCRequest
READY = b"Z"


class Proxy:
    """`loses(sql)`: whether the answer to this statement gets lost, and the connection with it."""

    def __init__(self, host: str, port: int, *, raw: bool = False) -> None:
        self._raw = raw
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self.port = 0
        self.open = asyncio.Event()
        self.open.set()
        self.delay = 0.0
        self.late = 0.0  # share of messages that come a second later, like after a lost packet
        self.bytes_per_second = 0.0
        self.refusing = False
        self.loses: Callable[[str], bool] = lambda sql: False
        self.lost: list[str] = []
        self.seen: list[str] = []

    def url(self, url: str) -> str:
        """The same database, reached through here."""
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{self.port}"))

    def freeze(self) -> None:
        """Nothing passes any more, and nobody is told: a cable that was pulled."""
        self.open.clear()

    def thaw(self) -> None:
        self.open.set()

    def cut(self) -> None:
        """All connections end with a reset."""
        for pair in list(self._pairs):
            pair.reset()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.thaw()
        assert self._server is not None
        self._server.close()
        self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there, onwards = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = (_Raw if self._raw else _Pair)(self, reader, writer, there, onwards)
        self._pairs.add(pair)
        try:
            await pair.carry()
        finally:
            self._pairs.discard(pair)
            pair.reset()

    def arrival(self, length: int, free_at: float) -> float:
        """When a message that is sent now is there, on a line that is taken until `free_at`."""
        at = asyncio.get_running_loop().time()
        if self.delay:
            at += self.delay * random.uniform(0.5, 1.5)
        if self.late and random.random() < self.late:
            at += 1.0
        return max(at, free_at) + (length / self.bytes_per_second if self.bytes_per_second else 0.0)


class _Line:
    """One direction of a connection. Many messages are on their way at once, in their order: latency is no queue."""

    def __init__(self, proxy: Proxy, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._writer = proxy, writer
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        self._free_at = 0.0

    async def send(self, message: bytes) -> None:
        self._free_at = self._proxy.arrival(len(message), self._free_at)
        await self._under_way.put((self._free_at, message))

    async def deliver(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            at, message = await self._under_way.get()
            if (left := at - loop.time()) > 0:
                await asyncio.sleep(left)
            await self._proxy.open.wait()
            self._writer.write(message)
            await self._writer.drain()


class _Pair:
    """One connection: both of its halves, and what was asked on it."""

    def __init__(
        self,
        proxy: Proxy,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        onwards: asyncio.StreamWriter,
    ) -> None:
        self.proxy, self.reader, self.writer, self.there, self.onwards = proxy, reader, writer, there, onwards
        self.statements: dict[str, str] = {}
        self.started = False
        self.losing = ""
        self.forth, self.home = _Line(proxy, onwards), _Line(proxy, writer)

    def reset(self) -> None:
        for writer in (self.writer, self.onwards):
            with suppress(OSError, AttributeError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def carry(self) -> None:
        parts = (self._there(), self._back(), self.forth.deliver(), self.home.deliver())
        halves = [asyncio.create_task(part) for part in parts]
        _, pending = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        for half in pending:
            half.cancel()
        await asyncio.gather(*halves, return_exceptions=True)

    async def _there(self) -> None:
        while True:
            await self.forth.send(await self._asked())

    async def _asked(self) -> bytes:
        if not self.started:
            length = await self.reader.readexactly(4)
            body = await self.reader.readexactly(int.from_bytes(length) - 4)
            self.started = len(body) + 4 > UNTYPED
            return length + body
        head = await self.reader.readexactly(5)
        body = await self.reader.readexactly(int.from_bytes(head[1:]) - 4)
        kind, statement = head[:1], ""
        if kind == b"P":
            name, sql, *_ = body.split(b"\0", 2)
            self.statements[name.decode()] = sql.decode()
        elif kind == b"B":
            statement = self.statements.get(body.split(b"\0", 2)[1].decode(), "")
        elif kind == b"Q":
            statement = body.rstrip(b"\0").decode()
        if statement:
            self.proxy.seen.append(statement)
            if self.proxy.loses(statement):
                self.losing = statement
        return head + body

    async def _back(self) -> None:
        while True:
            if not self.started:
                message = await self.there.read(1) or b""
                if not message:
                    return
                if message not in (b"N", b"S"):
                    message += await self._rest()
            else:
                head = await self.there.readexactly(1)
                message = head + await self._rest()
            if self.losing:
                if message[:1] == READY:  # the statement is carried out, with its transaction
                    self.proxy.lost.append(self.losing)
                    self.reset()
                    return
                continue
            await self.home.send(message)

    async def _rest(self) -> bytes:
        length = await self.there.readexactly(4)
        return length + await self.there.readexactly(int.from_bytes(length) - 4)


class _Raw(_Pair):
    """Bytes that nobody reads."""

    async def _there(self) -> None:
        await self._copy(self.reader, self.forth)

    async def _back(self) -> None:
        await self._copy(self.there, self.home)

    async def _copy(self, reader: asyncio.StreamReader, line: _Line) -> None:
        while data := await reader.read(65536):
            await line.send(data)


@asynccontextmanager
async def proxied(url: str, *, raw: bool = False) -> AsyncIterator[Proxy]:
    """A proxy before the database of `url`. `raw`: it is no PostgreSQL."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 5432, raw=raw)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
