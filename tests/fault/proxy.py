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

    async def passage(self, length: int) -> None:
        if self.delay:
            await asyncio.sleep(self.delay * random.uniform(0.5, 1.5))
        if self.late and random.random() < self.late:
            await asyncio.sleep(1.0)
        if self.bytes_per_second:
            await asyncio.sleep(length / self.bytes_per_second)
        await self.open.wait()


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

    def reset(self) -> None:
        for writer in (self.writer, self.onwards):
            with suppress(OSError, AttributeError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def carry(self) -> None:
        halves = [asyncio.create_task(self._there()), asyncio.create_task(self._back())]
        _, pending = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        for half in pending:
            half.cancel()
        await asyncio.gather(*halves, return_exceptions=True)

    async def _there(self) -> None:
        while True:
            message = await self._asked()
            await self.proxy.passage(len(message))
            self.onwards.write(message)
            await self.onwards.drain()

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
            await self.proxy.passage(len(message))
            self.writer.write(message)
            await self.writer.drain()

    async def _rest(self) -> bytes:
        length = await self.there.readexactly(4)
        return length + await self.there.readexactly(int.from_bytes(length) - 4)


class _Raw(_Pair):
    """Bytes that nobody reads."""

    async def _there(self) -> None:
        await self._copy(self.reader, self.onwards)

    async def _back(self) -> None:
        await self._copy(self.there, self.writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.proxy.passage(len(data))
            writer.write(data)
            await writer.drain()


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
