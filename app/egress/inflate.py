"""Unpacking an answer piece by piece, counting what comes out: a small bomb is stopped while it grows."""

import zlib
from collections.abc import Iterator

from app.egress.errors import NoAnswer, OverLimit

ACCEPTED = "gzip, deflate"
STEP = 65_536


class Inflater:
    """Feed it what came over the wire; it yields plain bytes in pieces of at most 64 KB, `limit` bytes in all."""

    def __init__(self, encoding: str, limit: int) -> None:
        self.limit, self.out = limit, 0
        encoding = encoding.strip().lower()
        if encoding in {"", "identity"}:
            self.packed: zlib._Decompress | None = None
        elif encoding in {"gzip", "x-gzip", "deflate"}:
            self.packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: finds out itself whether gzip or zlib
        else:
            raise NoAnswer(f"The answer is packed as {encoding[:40]!r}, which was not asked for.", sent=True)

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self.packed is None:
            yield self._counted(data)
            return
        while data:
            try:
                piece = self.packed.decompress(data, STEP)
            except zlib.error:
                raise NoAnswer("The answer is packed in a way that can't be unpacked.", sent=True) from None
            if piece:
                yield self._counted(piece)
            if self.packed.eof:
                return  # what follows a packed body is not part of it
            data = self.packed.unconsumed_tail

    def _counted(self, piece: bytes) -> bytes:
        self.out += len(piece)
        if self.out > self.limit:
            raise OverLimit(f"The answer is larger than {self.limit} bytes.", code="too_large", sent=True)
        return piece
