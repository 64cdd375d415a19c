"""Breakpoints: where a run of a draft pauses, and what a person says there (rules 110 to 117).

How it is done: flows/breaking.py.
"""

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from flows.ledger.protocol import StepRow

BREAK = ":break"
"""The name of the signal that ends a pause. `app.runs.service.signal` refuses it to everybody else."""
PATIENCE = 3600.0
"""Seconds after which a run that nobody goes on with ends itself."""
How = Literal["each", "first"]


class Breaks(Struct, frozen=True, omit_defaults=True):
    """Where one run pauses. `at`: step → before each of its rounds, or only before the one that comes first.

    `every`: before every step, whatever `at` says. `hit`: the steps with "first" at which it has paused already.
    `patience`: seconds of one pause, then the run ends.
    """

    at: dict[str, How] = {}
    every: bool = False
    hit: tuple[str, ...] = ()
    patience: float = PATIENCE


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What a person says at a pause. `edits`: values by port. `breaks`: where it pauses from now on."""

    do: Literal["go", "skip"] = "go"
    edits: dict[str, Any] = {}
    breaks: Breaks | None = None


def is_paused(row: "StepRow") -> bool:
    return row.status == "waiting" and row.wait is not None and row.wait.signal == BREAK


def released(row: "StepRow") -> bool:
    """Somebody went on with this step before: it is not stopped a second time, and to the step that is no news."""
    return row.signal is not None and row.signal.name == BREAK
