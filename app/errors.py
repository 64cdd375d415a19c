"""Refusals a person can act on. Verbs raise them; app/web turns them into a page, a fragment or problem+json.

A message says what happened (with the values) in one sentence; `remedy` says what to do now.
"""

from typing import ClassVar


class DomainError(Exception):
    """What the person asked for can't be done, for a reason they can understand.

    `field`: the form field at fault, so that the page can point at it ("" = the whole form).
    `code`: a stable word for API callers; by default the class's own.
    """

    default_status: ClassVar[int] = 400
    default_code: ClassVar[str] = "invalid"

    def __init__(
        self, message: str, *, remedy: str = "", field: str = "", status: int | None = None, code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.field = field
        self.status = status if status is not None else self.default_status
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class NotFound(DomainError):
    """Unknown, or of another workspace: the two are answered with the same words."""

    default_status = 404
    default_code = "not_found"


class NotAllowed(DomainError):
    """Known, but this person's role does not reach that far."""

    default_status = 403
    default_code = "not_allowed"


class Conflict(DomainError):
    """Somebody was faster, or the thing is not in the state that this needs."""

    default_status = 409
    default_code = "conflict"


class Refused(DomainError):
    """Understood, but against a rule (a forbidden address, a value that can't be)."""

    default_status = 422
    default_code = "refused"


class TooMany(DomainError):
    """Over a limit. `retry_after`: whole seconds after which it is worth trying again."""

    default_status = 429
    default_code = "too_many"

    def __init__(
        self, message: str, *, retry_after: int = 1, remedy: str = "", field: str = "", code: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy, field=field, code=code)
        self.retry_after = max(1, retry_after)


class Unavailable(DomainError):
    """Something of ours that is needed does not answer: the database is full, a pool is empty, we are closing."""

    default_status = 503
    default_code = "unavailable"

    def __init__(
        self, message: str, *, retry_after: int = 1, remedy: str = "", field: str = "", code: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy, field=field, code=code)
        self.retry_after = max(1, retry_after)
