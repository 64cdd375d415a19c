"""One child process seen from our side: start it, ask it, end it. Nothing it sends is believed unread."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from flows.host.frames import HEAD, BadFrame, length_of, packed

START = 15.0
"""Seconds a child gets until its first frame. A busy machine needs some."""
T = TypeVar("T")


class Fallen(Exception):
    """The child has ended or does not answer as it should. It is gone now; the words say what was seen."""

    def __init__(self, what: str, *, late: bool = False) -> None:
        super().__init__(what)
        self.late = late


class Child:
    """A process with one socket to it. Not for two calls at a time: whoever holds it, uses it alone."""

    def __init__(self, arguments: Sequence[str], pass_fds: tuple[int, ...] = ()) -> None:
        ours, theirs = socket.socketpair()
        self.wire = ours
        self.wire.setblocking(False)
        self.owner = ""
        self.calls = 0
        self.last = time.monotonic()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._buffer = bytearray()
        self._unsent = b""
        self._heard: asyncio.Future[None] | None = None
        with theirs:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own programs, no shell, no environment
                list(arguments),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                close_fds=True,
                pass_fds=pass_fds,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End it with all it started, at once. Safe to call twice."""
        self._leave()
        self.wire.close()
        if self.alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                self.process.kill()
        self.process.wait()

    # --- from a coroutine

    async def ask(self, thing: Any, decoder: "msgspec.msgpack.Decoder[T]", seconds: float) -> T:
        """Send one frame and give the answer. Raises Fallen; then, and when the caller is cancelled, it is killed.

        Raises BadFrame, TypeError or OverflowError, and leaves the child as it is, for what can't be sent.
        """
        self.send(packed(thing))
        return await self.answer(decoder, seconds)

    def send(self, frame: bytes) -> None:
        """One frame, without waiting for anything. Raises Fallen."""
        loop = self._enter()
        try:
            sent = self.wire.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            raise self._fallen("it closed its side") from None
        if sent < len(frame):
            self._unsent = frame[sent:]
            loop.add_writer(self.wire, self._on_writable)

    async def answer(self, decoder: "msgspec.msgpack.Decoder[T]", seconds: float) -> T:
        """The next frame. Raises Fallen as `ask` does."""
        loop = self._enter()
        timer = loop.call_later(seconds, self._too_late)
        try:
            while (found := self._next(decoder)) is None:
                self._heard = loop.create_future()
                await self._heard
        except BaseException as error:
            self.kill()
            if isinstance(error, BadFrame):
                raise Fallen(f"its answer can't be read: {error}") from None
            raise
        finally:
            timer.cancel()
            self._heard = None
        return found

    def _next(self, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
        buffer = self._buffer
        if len(buffer) < HEAD:
            return None
        length = length_of(bytes(buffer[:HEAD]))
        if len(buffer) < HEAD + length:
            return None
        body = bytes(buffer[HEAD : HEAD + length])
        del buffer[: HEAD + length]
        try:
            return decoder.decode(body)
        except msgspec.DecodeError as error:
            raise BadFrame(str(error)) from None

    def _enter(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self.loop is not loop:
            self.loop = loop
            loop.add_reader(self.wire, self._on_readable)
        return loop

    def _leave(self) -> None:
        if self.loop is not None and not self.loop.is_closed() and self.wire.fileno() >= 0:
            self.loop.remove_reader(self.wire)
            self.loop.remove_writer(self.wire)
        self.loop = None

    def _on_readable(self) -> None:
        try:
            part = self.wire.recv(1 << 18)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            part = b""
        if part:
            self._buffer += part
            self._tell(None)
        else:
            self._leave_reader()
            self._tell(self._fallen("it ended"))

    def _on_writable(self) -> None:
        try:
            self._unsent = self._unsent[self.wire.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._unsent = b""
        if not self._unsent and self.loop is not None:
            self.loop.remove_writer(self.wire)

    def _leave_reader(self) -> None:
        if self.loop is not None:
            self.loop.remove_reader(self.wire)

    def _too_late(self) -> None:
        self._tell(Fallen("it did not answer in time", late=True))

    def _tell(self, fault: Fallen | None) -> None:
        if self._heard is not None and not self._heard.done():
            if fault is None:
                self._heard.set_result(None)
            else:
                self._heard.set_exception(fault)

    def _fallen(self, what: str) -> Fallen:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.05)
        code = self.process.poll()
        if code is not None and code < 0:
            return Fallen(f"{what} by signal {signal.Signals(-code).name}")
        return Fallen(what if code is None else f"{what} with status {code}")

    # --- without an event loop, or in its way for a moment

    def ask_now(self, thing: Any, decoder: "msgspec.msgpack.Decoder[T]", seconds: float) -> T:
        """The same, blocking this thread."""
        deadline = time.monotonic() + seconds
        try:
            frame = memoryview(packed(thing))
            while frame:
                self._wait(select.POLLOUT, deadline)
                frame = frame[self.wire.send(frame) :]
            return self.answer_now(decoder, deadline - time.monotonic())
        except OSError:
            fault = self._fallen("it closed its side")
            self.kill()
            raise fault from None

    def answer_now(self, decoder: "msgspec.msgpack.Decoder[T]", seconds: float) -> T:
        deadline = time.monotonic() + seconds
        try:
            while (found := self._next(decoder)) is None:
                self._wait(select.POLLIN, deadline)
                part = self.wire.recv(1 << 18)
                if not part:
                    raise self._fallen("it ended")
                self._buffer += part
        except BadFrame as error:
            self.kill()
            raise Fallen(f"its answer can't be read: {error}") from None
        except BaseException:
            self.kill()
            raise
        return found

    def _wait(self, what: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self.wire, what)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Fallen("it did not answer in time", late=True)


PYTHON = (sys.executable, "-I", "-S", "-B", "-X", "utf8")
"""Isolated: no environment, no user folder, no .pth files, no bytecode written."""
