"""Engines and ledgers with one line broken. A test that passes on one of them does not test that line (F-46)."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from flows.ledger import postgres_sql as sql


def _without_the_epoch() -> None:
    """Writes of a claim that is over are taken."""
    broken = sql.WRITE.replace("r.epoch = w.epoch and r.write_seq = w.seq - 1 and r.status = 'running'", "true")
    broken = broken.replace("live.epoch, s.effect", "w.epoch, s.effect")
    sql.WRITE = _named(broken, "live.owner_worker,", "live.owner_worker,")


def _without_started() -> None:
    """A step begins without being on record."""
    from flows.running import Running

    Running.started = lambda self, frame, step, attempt, signal: None  # type: ignore[method-assign]


def _a_key_for_each_attempt() -> None:
    from flows.sdk.context import Context

    really = Context.idempotency_key.fget
    assert really is not None
    Context.idempotency_key = property(lambda self: f"{really(self)}-{self.attempt}-{os.getpid()}")  # type: ignore[assignment, method-assign]


def _outcome_after_the_next_step() -> None:
    """The outcome of an effect is written when it suits, not before the next effect begins."""
    from flows.journal import Journal

    really = Journal.flush

    async def lazy(self: Journal, run: Any = None) -> None:
        if run is not None:
            await really(self, run)

    Journal.flush = lazy  # type: ignore[method-assign]


def _doubt_is_ignored() -> None:
    """A step that must not happen twice is run again like any other."""
    import flows.run

    flows.run._unknown = lambda *_: False  # type: ignore[assignment]


def _events_twice() -> None:
    """A write whose answer was lost is written again."""
    sql.WRITE = sql.WRITE.replace("r.write_seq = w.seq - 1", "r.write_seq >= 0")


def _heart_that_never_stops_counting() -> None:
    """Nobody is ever declared dead."""
    import flows.sweep

    flows.sweep.LOST = flows.sweep.LOST.replace("where r.status = 'running' and (", "where false and (")


def _orphans_are_kept() -> None:
    """A worker keeps what it does not work on."""
    from flows.ledger.postgres_queue import PostgresQueue

    async def nothing(self: PostgresQueue) -> Sequence[Any]:
        return []

    PostgresQueue.owned = nothing  # type: ignore[assignment, method-assign]


def _named(text: str, old: str, new: str) -> str:
    assert old in text, f"the mutant does not fit the code any more: {old!r} is gone"
    return text.replace(old, new)


MUTANTS: dict[str, Callable[[], None]] = {
    "no-epoch": _without_the_epoch,
    "no-started": _without_started,
    "key-per-attempt": _a_key_for_each_attempt,
    "late-outcome-row": _outcome_after_the_next_step,
    "doubt-ignored": _doubt_is_ignored,
    "no-write-seq": _events_twice,
    "immortal": _heart_that_never_stops_counting,
    "orphans-kept": _orphans_are_kept,
}


def apply(name: str) -> None:
    if name:
        MUTANTS[name]()
