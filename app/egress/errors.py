"""Why a request to somewhere else did not bring an answer. An HTTP status of the other side is no error here."""

from typing import ClassVar

from app.errors import DomainError


class EgressError(DomainError):
    """`retry`: trying the same again later may help. `sent`: the other side may have received the request."""

    default_status: ClassVar[int] = 502
    default_code: ClassVar[str] = "egress"

    def __init__(
        self, message: str, *, remedy: str = "", code: str = "", retry: bool = False, sent: bool = False
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.retry = retry
        self.sent = sent


class Blocked(EgressError):
    """The address, or the way it is written, is one that Agentbase does not connect to."""

    default_status = 422
    default_code = "address_blocked"


class NoAnswer(EgressError):
    """Name unknown, connection refused or lost, certificate wrong, or too slow. `code` says which."""

    default_code = "no_answer"


class OverLimit(EgressError):
    """The answer is larger, or took longer, than the caller allows."""

    default_code = "over_limit"
