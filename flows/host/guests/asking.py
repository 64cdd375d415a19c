"""The guest's end of the broker: one question at a time over the socket, answered or refused by the other side."""

import socket
from typing import Any

import msgspec

from flows.host.frames import Answer, Ask, BadFrame, receive, send


class Refused(Exception):
    """The other side said no, and why."""

    def __init__(self, message: str, field: str = "", retry: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.retry = retry


class Asking:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.decoder = msgspec.msgpack.Decoder(Answer)

    def ask(self, power: str, verb: str, *values: Any) -> Any:
        """Raises Refused with the other side's sentence."""
        send(self.wire, Ask(power, verb, list(values)))
        try:
            answer = receive(self.wire, self.decoder)
        except BadFrame as error:
            raise Refused(f"the answer can't be read: {error}") from None
        if answer is None:
            raise SystemExit(0)
        if answer.error:
            raise Refused(answer.error, answer.field, answer.retry)
        return answer.value
