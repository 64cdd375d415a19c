"""Settlements that wait for the record of their run: both are committed by one statement, or neither is.

An express run is recorded before anybody gets its answer, so a settlement of its own, a moment earlier, would only be a
second commit to wait for. A process that dies in between leaves what it always left: the reservation, which expires.
"""

from collections.abc import Callable, Sequence
from typing import Any

from app.gateway.attempt import Call
from app.gateway.ledger import SETTLE_MANY, Closing, settlement

BESIDE = SETTLE_MANY
"""The query for flows.ledger.commit.GroupCommit: one array for each value of `Owed.rows`."""


class Owed:
    """Of one run. What is left when the block ends (the run was not recorded) is settled by itself, in the background.

    A call that a budget counts is never owed: the next call of the same run must find what it really cost.
    """

    def __init__(self) -> None:
        self._left: list[tuple[Call, Closing, Callable[[Call, Closing], None]]] = []

    def take(self, call: Call, closing: Closing, otherwise: Callable[[Call, Closing], None]) -> bool:
        """False: settle it yourself, now. `otherwise` settles it in the background."""
        if call.braked:
            return False
        self._left.append((call, closing, otherwise))
        return True

    def rows(self) -> Sequence[tuple[Any, ...]]:
        return [settlement(call.purpose, call.call_id, closing) for call, closing, _ in self._left]

    def paid(self) -> None:
        """They are committed."""
        self._left.clear()

    def __enter__(self) -> "Owed":
        return self

    def __exit__(self, *_: object) -> None:
        for call, closing, otherwise in self._left:
            otherwise(call, closing)
        self._left.clear()
