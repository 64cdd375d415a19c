"""What goes over the socket between this process and a child: four bytes of length, then msgpack.

Both sides import this file; it knows msgspec and nothing else.
"""

import socket
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

HEAD = 4
MOST = 16 * 1024 * 1024
"""Bytes of one frame in either direction."""

Engine = Literal["safe", "full"]
Why = Literal["", "code", "syntax", "time", "memory", "value", "crash", "output"]
T = TypeVar("T")


class BadFrame(Exception):
    """The other side sent what is no frame of ours, or more than is allowed. It is not to be spoken with again."""


class Bounds(Struct, frozen=True, array_like=True):
    """How much one call may use. `seconds` of its own work; bytes of memory, of what it prints, of its result."""

    seconds: float = 2.0
    memory: int = 64 * 1024 * 1024
    printed: int = 16 * 1024
    result: int = 4 * 1024 * 1024
    depth: int = 200


class Call(Struct, frozen=True, array_like=True):
    """`do` "parse": only look whether the text can be read ("parse full": by full Python).

    `fresh`: with an interpreter that nobody used before.
    """

    do: Literal["run", "parse", "parse full"]
    code: str
    inputs: dict[str, Any] = {}
    bounds: Bounds = Bounds()
    fresh: bool = False


class Reply(Struct, frozen=True, array_like=True, tag="reply"):
    """How a call ended. `why` "" = well; else `message` says what, `line` (from 1; 0 = none) where.

    `cpu` in seconds, `memory` in bytes at its highest where it was measured, else 0. `pid`: who did the work.
    """

    why: Why = ""
    value: Any = None
    printed: str = ""
    cut: bool = False
    message: str = ""
    kind: str = ""
    line: int = 0
    source: str = ""
    cpu: float = 0.0
    memory: int = 0
    pid: int = 0
    field: str = ""
    retry: bool = False


class Ask(Struct, frozen=True, array_like=True, tag="ask"):
    """What a guest wants of one of its powers. The other side decides."""

    power: str
    verb: str
    values: list[Any] = []


class Answer(Struct, frozen=True, array_like=True):
    """`error` "" = granted."""

    value: Any = None
    error: str = ""
    field: str = ""
    retry: bool = False


class Ready(Struct, frozen=True, array_like=True):
    """The first frame of a child: which borders hold around it."""

    borders: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode


def packed(thing: Any) -> bytes:
    """One frame. Raises BadFrame when it is too large, TypeError or OverflowError for what msgpack can't say."""
    body = _encode(thing)
    if len(body) > MOST:
        raise BadFrame(f"{len(body) / 1_048_576:.1f} MB; at most {MOST // 1_048_576} MB go over at once")
    return len(body).to_bytes(HEAD, "big") + body


def length_of(head: bytes) -> int:
    """Raises BadFrame before a byte of an oversized frame is read."""
    length = int.from_bytes(head, "big")
    if length > MOST:
        raise BadFrame(f"a frame of {length} bytes was announced")
    return length


def send(wire: socket.socket, thing: Any) -> None:
    """Blocking; for the child's side."""
    wire.sendall(packed(thing))


def receive(wire: socket.socket, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
    """Blocking; None when the other side has gone. Raises BadFrame."""
    head = _exactly(wire, HEAD)
    if head is None:
        return None
    body = _exactly(wire, length_of(head))
    if body is None:
        return None
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise BadFrame(str(error)) from None


def _exactly(wire: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = wire.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
