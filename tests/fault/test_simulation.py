"""Thousands of histories of a fleet in virtual time, and broken engines that these histories must catch.

make fault F=F-45                          10,000 histories
make fault F=F-45 ARGS=--fault-seed=1234   the history of this seed alone
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fault import virtual
from tests.fault.simulation import Broken, Fleet, Guards, Odds

pytestmark = [pytest.mark.fault]


def test_f_45_every_history_keeps_every_invariant(full, request):
    only = request.config.getoption("--fault-seed")
    seen: Counter[str] = Counter()
    seeds = [only] if only else range(1, 10_001 if full else 501)
    for seed in seeds:
        fleet = Fleet(seed)
        try:
            virtual.run(fleet.history())
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        seen.update(row.status for row in fleet.db.memory.runs.values())
        seen.update(crashes=fleet.crashed, naps=fleet.napped, lost_answers=fleet.unheard, lost_runs=fleet.db.lost)
    print(dict(seen))
    if not only:
        faults = ("crashes", "naps", "lost_answers", "lost_runs", "in_doubt", "succeeded")
        assert all(seen[name] > len(seeds) // 10 for name in faults), f"a fault hardly ever happened: {seen}"


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = owner.__dict__[name] if name in owner.__dict__ else getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def nothing_changed() -> Iterator[None]:
    yield


def without_started() -> Any:
    """A step begins without being on record."""
    from flows.running import Running

    return patched(Running, "started", lambda self, frame, step, attempt, signal: None)


def a_key_for_each_attempt() -> Any:
    from flows.sdk.context import Context

    return patched(Context, "idempotency_key", property(lambda self: f"{self.step_key}-{self.attempt}"))


def doubts_ignored() -> Any:
    """A step that must not happen twice is run again like any other."""
    import flows.run

    return patched(flows.run, "unknown", lambda *_: False)


def lazy_outcomes() -> Any:
    """What a step did is written when the run ends, not before the next step begins."""
    from flows.journal import Journal

    really = Journal.flush

    async def flush(self: Journal, run: Any = None) -> None:
        if run is not None:
            await really(self, run)

    return patched(Journal, "flush", flush)


CALM = Odds(crash=0.001, nap=0, lost=0.2)
"""Hardly a process dies, so nobody tidies up after a worker that keeps what it does not work on."""
SLEEPY = Odds(crash=0.002, nap=0.04, lost=0)
"""Workers wake up with an outcome in their hands, while their runs rest with others."""

MUTANTS: dict[str, tuple[str, Guards, Callable[[], Any]]] = {
    "epoch check removed": ("I4", Guards(epoch=False), nothing_changed),
    "`started` not written": ("I3", Guards(), without_started),
    "key random per attempt": ("I2", Guards(), a_key_for_each_attempt),
    "doubt ignored": ("I3", Guards(), doubts_ignored),
    "outcome written late": ("I3", Guards(), lazy_outcomes),
    "a write sent again is applied again": ("I6", Guards(write_seq=False), nothing_changed),
    "leases never end": ("I1", Guards(leases=False), nothing_changed),
    "a step's change of the database is made apart from its record": ("I2", Guards(together=False), nothing_changed),
    "a late outcome takes the place of what is there": ("I14", Guards(late=False), nothing_changed),
    "a worker keeps runs it does not work on": ("I1", Guards(orphans=False), nothing_changed),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_f_46_a_broken_engine_is_caught_by_the_invariant_that_guards_against_it(name):
    invariant, guards, broken = MUTANTS[name]
    caught: Counter[str] = Counter()
    odds = SLEEPY if not guards.late else CALM if not guards.orphans else None
    with broken():
        for seed in range(1, 400):
            try:
                virtual.run(Fleet(seed, odds=odds, guards=guards).history())
            except Broken as found:
                caught[found.name] += 1
                if found.name == invariant:
                    print(f"caught by {found} at seed {seed}; others: {dict(caught)}")
                    return
            except Exception as error:
                caught[type(error).__name__] += 1
    raise AssertionError(f"{name}: not caught by {invariant or 'anything'}; {dict(caught)}")
