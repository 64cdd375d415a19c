"""What a failed try means: try again, and when; or which fault people read."""

import random
from typing import Any

from msgspec import structs

from flows.ledger.protocol import Fault
from flows.plan import Failed, Step
from flows.sdk.errors import NodeError

LONGEST_PAUSE = 300.0
"""Seconds between two tries at most, unless the other side asked for longer."""


class TookTooLong(NodeError):
    """The engine stopped the step at its time limit. What it did by then is unknown."""

    def __init__(self, step: Step) -> None:
        super().__init__(
            f"It took longer than its limit of {step.timeout:g} s. Raise 'Time limit', or make it do less."
        )


def pause_before_next(step: Step, tries: int, error: BaseException) -> float | None:
    """Seconds until the next try after `tries` failed ones; None when there is none.

    Full jitter: random between 0 and delay x 2^(tries - 1), at least what the other side asked for (Retry-After).
    A NodeError says itself whether trying again may help. After anything else a step that must not happen twice is not
    tried again, for nobody knows what it did.
    """
    if tries >= step.retry.tries:
        return None
    if isinstance(error, NodeError) and not isinstance(error, TookTooLong):
        if not error.retry:
            return None
        asked = error.retry_after or 0.0
    elif step.effect in ("at_most_once", "probe"):
        return None
    else:
        asked = 0.0
    longest = min(LONGEST_PAUSE, step.retry.delay * 2 ** (tries - 1))
    return max(asked, random.uniform(0, longest))  # noqa: S311


def fault_of(step: Step, path: str, iter: str, error: BaseException) -> Fault:
    if isinstance(error, NodeError):
        return Fault(error.message, error.field, path, iter, error.kind or type(error).__name__)
    reason = str(error) or "no reason given"
    sentence = f"The component '{step.kind.title if step.kind else step.id}' met an error it does not handle: {reason}"
    return Fault(f"{sentence} ({type(error).__name__}).", "", path, iter, type(error).__name__)


def no_more_retries(fault: Fault, most: int) -> Fault:
    """The last straw of a run in which too much is tried again."""
    sentence = f"{fault.message} It is not tried again: {most:,} tries of this run were repeats already."
    return structs.replace(fault, message=sentence)


def too_dear(spent: int, most: int, node: str, iter: str) -> Fault:
    cost, limit = f"${spent / 1e6:,.4f}", f"${most / 1e6:,.4f}"
    sentence = f"The run has cost {cost}, and at most {limit} are allowed. Raise its limit, or make it do less."
    return Fault(sentence, "", node, iter, "Cost")


def instead(step: Step, fault: Fault) -> Any:
    """What a step that failed for good hands on, by its `on_error`. Of a Failed all the step's own ports are silent."""
    if step.on_error == "default":
        return step.default_out
    if step.on_error in ("wire", "continue"):
        return Failed({"message": fault.message, "field": fault.field, "step": fault.node})
    return None
