"""Server-sent events as model vendors send them: only `data:` lines matter, one JSON value an event."""

from collections.abc import AsyncGenerator, AsyncIterator

LONGEST_EVENT = 4_000_000
"""Bytes. A peer that never ends its line must not fill our memory."""


class Lines:
    """Feed it bytes as they come; get the data of every event that is complete.

    The rules of SSE that vendors use: LF, CRLF or CR ends a line (a CR that ends a chunk waits for its LF), data lines
    of one event are joined by LF, an empty line ends the event, lines of any other field are dropped.
    Raises ValueError for an event larger than LONGEST_EVENT.
    """

    __slots__ = ("_data", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        done: list[bytes] = []
        buffer = self._rest + chunk if self._rest else chunk
        if b"\r" in buffer:
            held = b"\r" if buffer.endswith(b"\r") else b""
            buffer = buffer.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        lines = buffer.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if not line:
                if self._data:
                    done.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data, self._size = [], 0
            elif line.startswith(b"data:"):
                value = line[6:] if line.startswith(b"data: ") else line[5:]
                self._size += len(value)
                self._data.append(value)
        if len(self._rest) + self._size > LONGEST_EVENT:
            raise ValueError(f"An event of the stream is larger than {LONGEST_EVENT:,} bytes.")
        return done

    def end(self) -> list[bytes]:
        """What a peer that closed without the last empty line still meant to say."""
        done = self.feed(b"\n\n") if self._rest or self._data else []
        return done


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event in a stream of body chunks, wherever the chunks are cut."""
    lines = Lines()
    async for chunk in chunks:
        for data in lines.feed(chunk):
            yield data
    for data in lines.end():
        yield data
